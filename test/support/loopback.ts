import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Datapath, DatapathOptions, Port } from '../../src/index.js'
import { patient } from './patience.js'

/** A new folder for sockets, removed when disposed. */
export function socketFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'dv-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A real guest and its switch in one process: `guest` is a virtio-user device whose other end is the port `vhost`. */
export interface Loopback extends AsyncDisposable {
  readonly datapath: Datapath
  /** What the switch sees: a vhost-user port. */
  readonly vhost: Port
  /** What the guest sees: its network device. */
  readonly guest: Port
}

/** Small, because every test file opens its own. */
export const SMALL: DatapathOptions = { memory: 'memfd', memoryMiB: 64 }

/** Connects a virtio-user device to a vhost-user server port of the same datapath. */
export async function loopback(
  datapath: Datapath,
  folder: string,
  { name = 'a', devargs = '', mtu }: { name?: string; devargs?: string; mtu?: number } = {},
): Promise<Omit<Loopback, 'datapath'>> {
  const path = join(folder, name)
  const vhost = await datapath.addPort({ name: `vhost-${name}`, type: 'dpdkvhostuser', path })
  const guest = await datapath.addPort({
    name: `guest-${name}`,
    type: 'dpdk',
    devargs: `net_virtio_user_${name},path=${path}${devargs}`,
    mtu,
  })
  await vhost.ready({ timeoutMs: patient(60_000) })
  await guest.ready({ timeoutMs: patient(60_000) })
  return {
    vhost,
    guest,
    async [Symbol.asyncDispose]() {
      await guest.remove()
      await vhost.remove()
    },
  }
}

/** Waits until something holds; says what did not when it never does. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const limitMs = patient(timeoutMs)
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`after ${limitMs} ms still not: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A broadcast frame whose payload begins with a number. */
export function numberedFrame(number: number, length = 64): Uint8Array {
  const frame = new Uint8Array(length)
  frame.fill(0xff, 0, 6)
  frame.set([2, 0, 0, 0, 0, 1, 0x88, 0xb5], 6)
  new DataView(frame.buffer).setUint32(14, number)
  return frame
}
