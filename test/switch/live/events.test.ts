/** What is said of events: one line each, with fields that stay, and none for a frame. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { GuardWatch } from '../../../src/switch/live/guard-watch.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

const LIMIT = { timeout: 120_000 }

test('one line for each event that matters, with the fields of its kind', LIMIT, async () => {
  await using stage = await Stage.start((at) => ({
    bridges: [{ name: 'br0' }],
    ports: [at.port('a', { portSecurity: [{ mac: '02:00:00:00:00:01' }] }), at.port('b')],
  }))
  const { switch: running } = stage
  const of = (event: string) => stage.fields.filter((fields) => fields.event === event)
  const first = await stage.host('a', { mac: '02:00:00:00:00:01' })
  const b = await stage.host('b')
  await b.delivery(await first.send({ to: b, frames: 200, size: 100, rate: 5000 }))
  const quiet = stage.lines.length
  await b.delivery(await first.send({ to: b, frames: 1000, size: 100, rate: 5000 }))
  assert.equal(stage.lines.length, quiet, 'frames are no events')

  await first.close()
  const lost = () =>
    of('port').filter(({ port, state }) => port === 'a' && state === 'disconnected')
  await until('the guest is gone', () => lost().length === 1)
  const said = stage.lines.filter((line) => /^(info|warn|error) port a\b(?!.* is ready)/.test(line))
  assert.deepEqual(said, ['info port a is disconnected: the peer closed the connection'])
  await stage.host('a', { mac: '02:00:00:00:00:02' })
  const ready = of('port').filter(({ port, state }) => port === 'a' && state === 'ready')
  assert.deepEqual(
    ready.map(({ generation }) => generation),
    [1, 2],
  )
  for (const fields of of('port')) {
    const keys = ['event', 'port', 'state', 'previous', 'generation', 'adminState', 'reason']
    assert.deepEqual(Object.keys(fields), keys)
  }

  // Frames of another address than port security allows: many of them, one line.
  await stage.hosts.at(-1)?.send({ to: 'broadcast', frames: 100, rate: 5000 })
  await until('the guard is told of', () => of('guard').length > 0)
  const [guard] = of('guard')
  assert.deepEqual([guard?.port, guard?.guard], ['a', 'portSecurity'])
  await stage.hosts.at(-1)?.send({ to: 'broadcast', frames: 100, rate: 100 })
  assert.equal(of('guard').length, 1)

  const file = stage.path('deadly.ts')
  writeFileSync(file, 'export default () => () => process.exit(3)')
  await running.programLoad('br0', file, undefined)
  assert.deepEqual(of('program_loaded'), [
    { event: 'program_loaded', bridge: 'br0', program: file },
  ])
  await b.send({ to: 'broadcast', frames: 1 })
  await until('the lcore is back', () => of('lcore_started').length > 0)
  const ended = of('lcore_ended')
  assert.equal(ended.length, of('lcore_started').length)
  assert.equal(ended[0]?.lcore, 'lcore0')
  assert.ok(String(ended[0]?.reason).length > 0 && Number(ended[0]?.againInMs) > 0)
  await running.programUnload('br0')
  assert.equal(of('program_unloaded').length, 1)
  await running.reload()
  assert.equal(of('reload').length, 1)
  const without = stage.lines.filter((_line, i) => stage.fields[i]?.event === undefined)
  assert.deepEqual(without, [])
})

test('a guard that goes on dropping is told of once a minute', () => {
  let now = 0
  const watch = new GuardWatch(() => now)
  const look = (portSecurity: number) => {
    now += 1000
    const none = { ingressPoliced: 0, vlan: 0, storm: 0, loop: 0, egressPoliced: 0 }
    return watch.look(new Map([['a', { ...none, portSecurity }]])).map(({ message }) => message)
  }
  assert.deepEqual(look(0), [])
  assert.deepEqual(look(1), ['port a: port security dropped 1 frame'])
  const told = Array.from({ length: 60 }, (_, i) => look(10 * (i + 1))).flat()
  assert.deepEqual(told, ['port a: port security dropped 599 frames'])
  assert.deepEqual(look(600), [])
  // Made anew, a port counts from zero.
  assert.deepEqual(look(0), [])
  now += 60_000
  assert.deepEqual(look(5), ['port a: port security dropped 5 frames'])
})
