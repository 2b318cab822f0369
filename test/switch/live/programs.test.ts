/** Programs of users in a running switch. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { TestHost } from '../../../src/testkit/index.js'
import { account, NOTHING_WRONG } from '../../support/accounts.js'
import { until } from '../../support/loopback.js'
import { Stage } from './stage.js'

/** A program that sends everything to the port of that name. */
const sendTo = (port: string) => `
  import type { Burst, Program, ProgramContext } from 'dpdk-vhost'

  export default function make({ ports }: ProgramContext): Program {
    let target = ports.ids.get('${port}') ?? -1
    return {
      name: 'to-${port}',
      burst(burst: Burst) { burst.outPort.fill(target, 0, burst.count) },
      portsChanged(now) { target = now.ids.get('${port}') ?? -1 },
    }
  }
`

const THROWS = `import type { Burst } from 'dpdk-vhost'

interface Unused { readonly line: 'three' }

function fail(burst: Burst): void {
  throw new Error(\`no good at line six: \${burst.count}\`)
}

export default { name: 'thrower', burst: fail }
`

/** Frames that `to` got of some that `from` sent to all. */
async function reach(from: TestHost, to: TestHost): Promise<number> {
  const sent = await from.send({ to: 'broadcast', frames: 20, rate: 2000 })
  return (await to.delivery(sent)).frames
}

describe('programs of users', () => {
  test('are loaded, swapped and unloaded; other bridges lose no frame', async () => {
    await using stage = await Stage.start((at) => ({
      lcores: [{ name: 'lcore0' }, { name: 'lcore1' }],
      bridges: [{ name: 'br0' }, { name: 'br1' }],
      ports: ['a', 'b', 'c']
        .map((name) => at.port(name))
        .concat(['x', 'y'].map((name) => at.port(name, { bridge: 'br1' }))),
    }))
    const { switch: running } = stage
    const [a, b, c, x, y] = await Promise.all(
      ['a', 'b', 'c', 'x', 'y'].map((name) => stage.host(name)),
    )
    const wrong = account(stage.counters('y'), y!)
    const sending = await x!.startSending({ to: y!, rate: 2000 })

    const file = stage.path('program.ts')
    writeFileSync(file, sendTo('b'))
    const view = await running.programLoad('br0', file, undefined)
    assert.deepEqual([view.file, view.aside, view.errors], [file, false, 0])
    assert.ok(Math.abs(view.loadedAt - Date.now()) < 60_000)
    assert.equal(running.show().bridges[0]?.decides, 'program')
    assert.deepEqual([await reach(a!, b!), await reach(a!, c!)], [20, 0])

    writeFileSync(file, sendTo('c'))
    await running.programLoad('br0', file, undefined)
    assert.deepEqual([await reach(a!, b!), await reach(a!, c!)], [0, 20])

    await running.programUnload('br0')
    assert.equal(running.show().bridges[0]?.decides, 'normal')
    assert.deepEqual([await reach(a!, b!), await reach(a!, c!)], [20, 20])

    await until('frames went by', async () => (await sending.progress()).frames > 500)
    const { delivery, ...lost } = await wrong(sending)
    assert.deepEqual(lost, NOTHING_WRONG)
    assert.ok(delivery.frames > 0, `${delivery.frames} frames`)
  })

  test('what cannot be loaded leaves the one before', async () => {
    await using stage = await Stage.start((at) => {
      writeFileSync(at.path('good.ts'), sendTo('b'))
      return {
        lcores: [{ name: 'lcore0' }, { name: 'lcore1' }],
        bridges: [{ name: 'br0', program: at.path('good.ts') }],
        ports: [at.port('a'), at.port('b')],
      }
    })
    const { switch: running } = stage
    const [a, b] = await Promise.all([stage.host('a'), stage.host('b')])
    const load = (text: string, data?: unknown) => {
      writeFileSync(stage.path('bad.ts'), text)
      return running.programLoad('br0', stage.path('bad.ts'), data)
    }
    await assert.rejects(load("import 'nothing'"), /bad\.ts:1:8: could not resolve "nothing"/)
    await assert.rejects(load('export const a = 1'), /bad\.ts: it makes no program/)
    await assert.rejects(load("throw new Error('not today')"), /bad\.ts:1:7: not today/)
    // On one lcore alone: all go back to the one before.
    const picky = `import type { ProgramContext } from 'dpdk-vhost'
      export default ({ lcore, data }: ProgramContext) => {
        if (lcore === 1) throw new Error('not on this lcore: ' + data)
        return () => {}
      }`
    await assert.rejects(load(picky, 'reason'), /bad\.ts:3:32: not on this lcore: reason/)
    await assert.rejects(running.programLoad('br0', 'program.ts', undefined), /relative path/)
    await assert.rejects(running.programLoad('br0', '/no/program.ts', undefined), /cannot be read/)
    await assert.rejects(running.programLoad('br0', stage.path(''), undefined), /is no file/)
    assert.equal(running.show().bridges[0]?.program?.file, stage.path('good.ts'))
    assert.equal(await reach(a, b), 20)
  })

  test('one that throws is told of by its line and put aside; its neighbours go on', async () => {
    await using stage = await Stage.start((at) => ({
      bridges: [{ name: 'br0' }, { name: 'br1' }],
      ports: [at.port('a'), at.port('x', { bridge: 'br1' }), at.port('y', { bridge: 'br1' })],
    }))
    const { switch: running } = stage
    const a = await stage.host('a')
    const x = await stage.host('x', { ip: '192.0.2.1' })
    await stage.host('y', { ip: '192.0.2.2' })
    writeFileSync(stage.path('thrower.ts'), THROWS)
    await running.programLoad('br0', stage.path('thrower.ts'), undefined)
    const view = () => running.show().bridges[0]?.program
    // Bursts are counted, and how many frames are one is up to the lcore.
    await until('it is put aside', async () => {
      await a.send({ to: 'broadcast', frames: 1 })
      return view()?.aside === true
    })
    assert.ok((view()?.errors ?? 0) > 1)
    const line = stage.lines.find((text) => text.includes('no good at line six'))
    assert.match(line ?? stage.lines.join('\n'), /^error .*thrower\.ts:6:9/s)
    const told = `error bridge br0: ${stage.path('thrower.ts')} threw too often and was put aside`
    assert.equal(stage.lines.filter((text) => text.startsWith(told)).length, 1)
    assert.equal((await x.ping('192.0.2.2')).received, 1)
    // Another one decides again.
    writeFileSync(stage.path('other.ts'), sendTo('a'))
    const other = await running.programLoad('br0', stage.path('other.ts'), undefined)
    assert.deepEqual([other.aside, other.errors], [false, 0])
  })

  test('a reload loads a file again that has changed', async () => {
    const config = (at: Stage) => ({
      bridges: [{ name: 'br0', program: { file: at.path('program.ts'), data: { to: 'b' } } }],
      ports: [at.port('a'), at.port('b'), at.port('c')],
    })
    await using stage = await Stage.start((at) => {
      writeFileSync(at.path('program.ts'), sendTo('b'))
      return config(at)
    })
    const { switch: running } = stage
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => stage.host(name)))
    assert.equal(await reach(a!, b!), 20)
    assert.deepEqual((await running.reload()).changes, [])
    writeFileSync(stage.path('program.ts'), sendTo('c'))
    const { changes } = await running.reload()
    assert.deepEqual(changes, [`bridge br0: program ${stage.path('program.ts')} loaded again`])
    assert.deepEqual([await reach(a!, b!), await reach(a!, c!)], [0, 20])
    writeFileSync(stage.path('program.ts'), '(')
    assert.match((await running.reload()).changes.join(), /^bridge br0: program: failed: .*:1:2/s)
    assert.equal(await reach(a!, c!), 20)
    // What was done by hand is not the file's business.
    writeFileSync(stage.path('program.ts'), sendTo('b'))
    writeFileSync(stage.path('hand.ts'), sendTo('c'))
    await running.programLoad('br0', stage.path('hand.ts'), undefined)
    writeFileSync(stage.path('hand.ts'), sendTo('b'))
    assert.deepEqual((await running.reload()).changes, [])
    assert.deepEqual([await reach(a!, b!), await reach(a!, c!)], [0, 20])
    await running.programUnload('br0')
    assert.deepEqual((await running.reload()).changes, [])
    assert.equal(running.show().bridges[0]?.decides, 'normal')
    // Until that says something else.
    const [bridge] = config(stage).bridges
    const program = { ...bridge?.program, data: { to: 'nobody' } }
    stage.write({ ...config(stage), bridges: [{ ...bridge, program }] })
    assert.equal((await running.reload()).changes.length, 1)
    assert.equal(running.show().bridges[0]?.decides, 'program')
  })
})
