/** In a network namespace of its own: a port on an interface of the kernel. Argument: tap or af_packet. */
import { execFileSync } from 'node:child_process'
import { Datapath } from '../../../src/index.js'
import { numberedFrame, SMALL, until } from '../../support/loopback.js'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' })
const kind = process.argv[2]
const FRAMES = 50

ip('link', 'set', 'lo', 'up')
const datapath = await Datapath.open(SMALL)
const devargs = kind === 'tap' ? 'net_tap0,iface=dvtap0' : 'net_af_packet0,iface=lo'
const port = await datapath.addPort({ name: kind ?? '', type: 'dpdk', devargs })
if (kind === 'tap') ip('link', 'set', 'dvtap0', 'up')
await port.ready({ timeoutMs: 60_000 })
let came = 0
await datapath.run(({ count, view, offset }) => {
  for (let i = 0; i < count; i++) {
    if (view.getUint16((offset[i] as number) + 12) === 0x88b5) came += 1
  }
})
for (let i = 0; i < FRAMES; i++) port.inject(numberedFrame(i))
if (kind === 'tap') {
  const received = () =>
    (
      JSON.parse(ip('-s', '-j', 'link', 'show', 'dvtap0')) as [
        { stats64: { rx: { packets: number } } },
      ]
    )[0].stats64.rx.packets
  await until('the kernel has them', () => received() === FRAMES)
  // Its own neighbour discovery.
  await until('the kernel sends something', () => port.counters().rx.frames > 0)
} else {
  await until('they come round', () => came === FRAMES)
}
if (kind === 'tap') {
  const flags = () =>
    (JSON.parse(ip('-j', 'link', 'show', 'dvtap0')) as [{ flags: string[] }])[0].flags
  await port.setAdminState('down')
  await until('the kernel has it down', () => !flags().includes('LOWER_UP'))
  port.inject(numberedFrame(0))
  await until('its frames are counted', () => port.counters().tx.droppedNotConnected === 1)
  await port.setAdminState('up')
  await port.ready({ timeoutMs: 60_000 })
  await until('the kernel has it up', () => flags().includes('LOWER_UP'))
  const { frames } = port.counters().tx
  port.inject(numberedFrame(0))
  await until('its frames go again', () => port.counters().tx.frames === frames + 1)
}
await port.remove()
await datapath.close()
