/** A program's module is loaded while the datapath is not open yet. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import { Datapath, PreparedProgram } from '../../src/index.js'
import { SMALL } from '../support/loopback.js'

const program = (name: string) => new URL(`./programs/${name}.js`, import.meta.url)

describe('a prepared program', { timeout: 60_000 }, () => {
  let datapath: Datapath | undefined
  after(() => datapath?.close())

  test('is loaded before the datapath opens, and becomes an lcore once', async () => {
    const channel = new BroadcastChannel('announced')
    const loaded = new Promise((resolve) => {
      channel.onmessage = (event) => resolve((event as MessageEvent).data)
    })
    const prepared = new PreparedProgram(program('announced'))
    const thread = await loaded
    channel.close()
    datapath = await Datapath.open(SMALL)
    await using lcore = await datapath.launch(prepared, { name: 'first', data: 'what it gets' })
    assert.deepEqual(await lcore.call('?'), { data: 'what it gets', threadId: thread })
    await assert.rejects(datapath.launch(prepared, { name: 'second' }), {
      code: 'ERR_PROGRAM',
      message:
        'lcore second did not start: its prepared program is an lcore already; prepare another',
    })
    await prepared.close()
    assert.deepEqual(
      await lcore.call('?'),
      { data: 'what it gets', threadId: thread },
      'not closed',
    )
  })

  test('says what is wrong with it when it is launched', async () => {
    datapath ??= await Datapath.open(SMALL)
    const wrong = new PreparedProgram(program('no-default'))
    await assert.rejects(datapath.launch(wrong), {
      code: 'ERR_PROGRAM',
      message: /no default export/,
    })
    assert.throws(() => new PreparedProgram('./here.js'), { code: 'ERR_PROGRAM' })
  })

  test('that ended by itself is not launched', async () => {
    datapath ??= await Datapath.open(SMALL)
    const prepared = new PreparedProgram(program('exits'))
    // Whether it has ended by then or does a moment later.
    await assert.rejects(datapath.launch(prepared), {
      code: 'ERR_PROGRAM',
      message: /ended with code 3/,
    })
    await assert.rejects(datapath.launch(prepared), { code: 'ERR_PROGRAM' })
  })

  test('that was closed ends, and is not launched', async () => {
    datapath ??= await Datapath.open(SMALL)
    const prepared = new PreparedProgram(program('announced'))
    await prepared.close()
    await assert.rejects(
      datapath.launch(prepared, { name: 'late' }),
      /lcore late did not start: it was closed/,
    )
    await prepared.close()
  })

  test('that does not end by itself is ended', async () => {
    await new PreparedProgram(program('lingers')).close()
  })
})
