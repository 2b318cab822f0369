/** A program that does not return from a burst: its lcore is ended and replaced, the others go on. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Datapath, type LcoreEvent, type Port, type ProgramEvent } from '../../src/index.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'
import { EtherType } from './programs/stuck-frames.js'

const program = new URL('./programs/sometimes-stuck.js', import.meta.url)

function frame(type: number): Uint8Array {
  const bytes = numberedFrame(1)
  bytes.set([type >> 8, type & 255], 12)
  return bytes
}

describe('a program that does not return', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let a: { vhost: Port; guest: Port }
  let b: { vhost: Port; guest: Port }
  const programs: ProgramEvent[] = []
  const lcores: LcoreEvent[] = []
  before(async () => {
    datapath = await Datapath.open(SMALL)
    a = await loopback(datapath, folder.path, { name: 'a' })
    b = await loopback(datapath, folder.path, { name: 'b' })
    // Takes what comes back out of the guests' rings.
    await datapath.run(() => {}, { ports: [a.guest.name, b.guest.name], name: 'guests' })
    datapath.on('program', (event) => programs.push(event))
    datapath.on('lcore', (event) => lcores.push(event))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  const served = ({ vhost, guest }: { vhost: Port; guest: Port }) => {
    const before = vhost.counters().tx.frames
    return until('it is served', () => {
      guest.inject(frame(EtherType.plain))
      return vhost.counters().tx.frames > before
    })
  }
  const options = (port: Port, name: string) => ({
    ports: [port.name],
    name,
    burstTimeoutMs: 500,
  })

  test('is reported with its burst and restarted; others are served meanwhile', async () => {
    await using other = await datapath.launch(program, options(b.vhost, 'other'))
    const first = await datapath.launch(program, options(a.vhost, 'stuck'))
    await Promise.all([served(a), served(b)])
    // What served it may have sent more than one frame: none is to be in one burst with the next.
    await until(
      'all is received',
      () => a.vhost.counters().rx.frames === a.guest.counters().tx.frames,
    )
    programs.length = lcores.length = 0
    const bytes = frame(EtherType.stuck)
    a.guest.inject(bytes)
    while (programs.length === 0) await served(b)
    const [event] = programs as [ProgramEvent]
    assert.deepEqual([event.lcore, event.problem], ['stuck', 'stuck'])
    assert.equal(event.program, 'sometimes-stuck.js')
    assert.deepEqual([event.burst?.port, event.burst?.queue], [a.vhost.name, 0])
    assert.equal(event.burst?.frames, 1)
    assert.deepEqual(Uint8Array.from(event.burst?.first ?? []), bytes)
    await until('it is replaced', () => lcores.length === 2)
    assert.deepEqual(
      lcores.map(({ lcore, state }) => [lcore, state]),
      [
        ['stuck', 'ended'],
        ['stuck', 'started'],
      ],
    )
    assert.match(
      lcores[0]?.reason ?? '',
      /did not return for 0.5 s from a burst of 1 frames of vhost-a/,
    )
    await served(a)
    assert.ok(datapath.lcores.has(other))
    await assert.rejects(first.call(1), /did not return/)
    await [...datapath.lcores].find(({ name }) => name === 'stuck')?.stop()
  })

  test('three times in a row: it is not started again', async () => {
    programs.length = lcores.length = 0
    await datapath.launch(program, options(a.vhost, 'again'))
    const running = () => [...datapath.lcores].some(({ name }) => name === 'again')
    for (let times = 1; times <= 3; times++) {
      await until('it runs', running)
      a.guest.inject(frame(EtherType.stuck))
      await until('it is stuck', () => programs.length === times)
      await until(
        'it ended',
        () => lcores.filter(({ state }) => state === 'ended').length === times,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal(running(), false)
  })

  test('onStuck: end', async () => {
    programs.length = lcores.length = 0
    await datapath.launch(program, { ...options(a.vhost, 'once'), onStuck: 'end' })
    a.guest.inject(frame(EtherType.stuck))
    await until('it ended', () => lcores.at(-1)?.state === 'ended')
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual(
      Array.from(datapath.lcores, ({ name }) => name),
      ['guests'],
    )
  })

  test('the frames that it had are free again', async () => {
    await Promise.all([...datapath.lcores].map((lcore) => lcore.stop()))
    for (const { vhost, guest } of [a, b]) {
      await guest.remove()
      await vhost.remove()
    }
    assert.equal(datapath.framesInUse(), 0)
  })
})
