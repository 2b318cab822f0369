/** A guest's rings are unmapped only after every lcore has left them, however long one of them takes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Datapath } from '../../src/index.js'
import { TestHost } from '../../src/testkit/index.js'
import { SMALL, socketFolder, until } from '../support/loopback.js'

/** A pipe that nobody reads until asked to: a device that writes to it blocks once the pipe is full. */
class Dam implements Disposable {
  readonly #fd: number
  #draining: NodeJS.Timeout | undefined

  constructor(readonly path: string) {
    execFileSync('mkfifo', [path])
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  }

  /** Reads all that comes from now on. */
  open(): void {
    const buffer = Buffer.alloc(65_536)
    this.#draining ??= setInterval(() => {
      try {
        while (readSync(this.#fd, buffer) > 0);
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
      }
    }, 1)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#draining)
    closeSync(this.#fd)
  }
}

describe('a guest that dies while an lcore is at work for it', () => {
  test('its device goes when the lcore has left it, not before', { timeout: 120_000 }, async () => {
    using folder = socketFolder()
    using dam = new Dam(`${folder.path}/dam`)
    await using datapath = await Datapath.open(SMALL)
    // Also when an assertion fails: else the lcore could never end.
    using _ = { [Symbol.dispose]: () => dam.open() }
    const path = `${folder.path}/guest`
    const guest = await datapath.addPort({ name: 'guest', type: 'dpdkvhostuserclient', path })
    const target = await datapath.addPort({
      name: 'target',
      type: 'dpdk',
      devargs: `net_pcap0,tx_pcap=${dam.path}`,
    })
    const lcore = await datapath.launch('dpdk-vhost/programs/cross-connect', { ports: ['guest'] })
    await using host = await TestHost.start({ path })
    await guest.ready({ timeoutMs: 60_000 })
    await host.linkUp()
    const closed = new Promise<void>((resolve) =>
      datapath.on('log', ({ message }) => {
        if (/peer closed/.test(message)) resolve()
      }),
    )

    await host.startSending({ to: 'broadcast', rate: 'max', size: 1514 })
    let polls = -1
    for (let still = 0; still < 5; still++) {
      await delay(100)
      if (polls !== lcore.counters().polls || target.counters().tx.frames === 0) still = 0
      polls = lcore.counters().polls
    }
    await host.kill()
    await closed
    await delay(500)
    assert.equal(lcore.counters().polls, polls, 'the lcore is held')
    assert.equal(guest.status.state, 'ready', 'the device is still there')

    dam.open()
    await until('the device is gone', () => guest.status.state !== 'ready')
    await until('the lcore polls', () => lcore.counters().polls > polls)
  })
})
