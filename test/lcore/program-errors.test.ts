/** A program that fails costs its own bursts; the switch goes on. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import {
  Datapath,
  type DatapathError,
  type Lcore,
  type Port,
  type ProgramEvent,
} from '../../src/index.js'
import { loopback, numberedFrame, SMALL, socketFolder, until } from '../support/loopback.js'

const program = (name: string) => new URL(`./programs/${name}.js`, import.meta.url)

describe('a program that fails', () => {
  const folder = socketFolder()
  let datapath: Datapath
  let vhost: Port
  let guest: Port
  before(async () => {
    datapath = await Datapath.open(SMALL)
    ;({ vhost, guest } = await loopback(datapath, folder.path))
  })
  after(async () => {
    await datapath.close()
    folder[Symbol.dispose]()
  })

  async function sendOneByOne(frames: number): Promise<void> {
    for (let i = 0; i < frames; i++) {
      const before = vhost.counters().rx.frames
      guest.inject(numberedFrame(i))
      await until('the frame came', () => vhost.counters().rx.frames === before + 1)
    }
  }
  const errors = () => vhost.counters().rx.droppedProgramError
  const ports = () => ({ ports: [vhost.name] })

  test('a throw loses that burst, is counted and reported; the next burst is served', async () => {
    const before = errors()
    let calls = 0
    await using lcore = await datapath.run(
      (burst) => {
        if (++calls % 2 === 1) throw new Error(`burst ${calls} is odd`)
        burst.outPort.fill(vhost.id, 0, burst.count)
      },
      { ...ports(), name: 'odd' },
    )
    const reported = once(datapath, 'program') as Promise<[ProgramEvent]>
    const sent = vhost.counters().tx.frames
    await sendOneByOne(40)
    await until('the good half went out', () => vhost.counters().tx.frames === sent + 20)
    assert.equal(errors() - before, 20)
    const [event] = await reported
    assert.equal(event.lcore, lcore.name)
    assert.equal(event.problem, 'threw')
    assert.match(event.error, /burst 1 is odd/)
    assert.match(event.error, /program-errors\.test/, 'with a stack')
  })

  test('one that keeps throwing is put aside, its frames are counted, and it can be replaced', async () => {
    const before = errors()
    const events: ProgramEvent[] = []
    const listener = (event: ProgramEvent) => events.push(event)
    datapath.on('program', listener)
    await using lcore = await datapath.run(
      {
        name: 'broken',
        burst() {
          throw new Error('always')
        },
      },
      ports(),
    )
    await sendOneByOne(30)
    assert.equal(errors() - before, 30)
    assert.deepEqual(
      events.map(({ problem, program }) => [problem, program]),
      [
        ['threw', 'broken'],
        ['aside', 'broken'],
      ],
    )
    const sent = vhost.counters().tx.frames
    await lcore.replace((burst) => void burst.outPort.fill(vhost.id, 0, burst.count))
    await sendOneByOne(5)
    await until('they went out', () => vhost.counters().tx.frames === sent + 5)
    datapath.off('program', listener)
  })

  test('in a Worker: thrown values of any kind, messages, replacement', async () => {
    await using lcore = await datapath.launch(program('moody'), {
      ...ports(),
      data: { mood: 'null' },
    })
    const reported = once(datapath, 'program') as Promise<[ProgramEvent]>
    await sendOneByOne(1)
    const [event] = await reported
    assert.equal(event.error, 'null')
    assert.deepEqual(await lcore.call({ ask: 'mood' }), { mood: 'null' })
    await assert.rejects(lcore.call('throw'), { code: 'ERR_PROGRAM', message: 'asked to' })
    await assert.rejects(lcore.replace(program('no-such-module')), { code: 'ERR_PROGRAM' })
    await assert.rejects(lcore.replace(program('not-a-program')), /a program is a function/)
    assert.deepEqual(await lcore.call({ ask: 'mood' }), { mood: 'null' }, 'the old one goes on')
    await lcore.replace(program('moody'), { mood: 'good' })
    const sent = vhost.counters().tx.frames
    await sendOneByOne(3)
    await until('they went out', () => vhost.counters().tx.frames === sent + 3)
  })

  test('a module that makes no program is refused with what is wrong', async () => {
    const refuse = (name: string, message: RegExp) =>
      assert.rejects(datapath.launch(program(name)), (error: DatapathError) => {
        assert.equal(error.code, 'ERR_PROGRAM')
        assert.match(error.message, message)
        return true
      })
    await refuse('no-such-module', /no-such-module/)
    await refuse('not-a-program', /a program is a function/)
    await refuse('no-default', /no default export/)
    await assert.rejects(
      datapath.launch('./relative.js'),
      /new URL\('\.\/relative\.js', import\.meta\.url\)/,
    )
    assert.equal(datapath.lcores.size, 0)
  })

  test('a Worker that dies is reported, and its queues go to another lcore', async () => {
    await using other = await datapath.run(
      (burst) => void burst.outPort.fill(vhost.id, 0, burst.count),
      ports(),
    )
    const doomed: Lcore = await datapath.launch(program('moody'), {
      ...ports(),
      data: { mood: 'fatal' },
      name: 'doomed',
    })
    const ended = once(datapath, 'lcore')
    doomed.call('exit').catch(() => {})
    const [event] = await ended
    assert.equal(event.lcore, 'doomed')
    assert.equal(event.state, 'ended')
    assert.match(event.reason, /code 7/)
    await assert.rejects(doomed.call({ ask: 'mood' }), { code: 'ERR_CLOSED' })
    const sent = vhost.counters().tx.frames
    await sendOneByOne(5)
    await until('they went out', () => vhost.counters().tx.frames >= sent + 5)
    assert.deepEqual([...datapath.lcores], [other])
  })

  test('a Worker whose program never returns is ended by stop', { timeout: 60_000 }, async () => {
    const lcore = await datapath.launch(program('moody'), { ...ports(), data: { mood: 'endless' } })
    guest.inject(numberedFrame(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await lcore.stop()
    assert.equal(datapath.lcores.size, 0)
  })
})
