/** In a network namespace of its own: the host takes part in a bridge. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { TestHost } from '../../../../src/testkit/index.js'
import { until } from '../../../support/loopback.js'
import { Stage } from '../stage.js'

interface Link {
  readonly mtu: number
  readonly address: string
  readonly addr_info: readonly { local: string; prefixlen: number }[]
}

function linkOf(iface: string): Link | undefined {
  const links = JSON.parse(execFileSync('ip', ['-j', 'addr'], { encoding: 'utf8' })) as (Link & {
    ifname: string
  })[]
  return links.find(({ ifname }) => ifname === iface)
}

const addressesOf = (iface: string) =>
  linkOf(iface)?.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`) ?? []

/** Below the 1500 that there are at most. */
const datapath = { memory: 'memfd', memoryMiB: 64, mtu: 1400 }
const local = { iface: 'vsw0', addresses: ['192.0.2.1/24', '2001:db8::1/64'] }
let guest: TestHost | undefined
await using stage = await Stage.start(async (at) => {
  // Before the switch: a process started later would inherit the TAP's descriptor, and keep the interface.
  guest = await TestHost.start({ path: at.path('a.sock'), ip: ['192.0.2.2'], mtu: 1400 })
  return { datapath, bridges: [{ name: 'br0', local }], ports: [at.port('a')] }
})
const a = guest as TestHost
await using _ = a
await a.linkUp()
const { switch: running } = stage
const [, port] = running.ports()
assert.deepEqual([port?.name, port?.bridge, port?.type], ['vsw0', 'br0', 'dpdk'])
assert.equal(linkOf('vsw0')?.mtu, 1400)
for (const address of local.addresses) assert.ok(addressesOf('vsw0').includes(address))

// A guest asks the host, and the host answers.
assert.equal((await a.ping('192.0.2.1', { count: 3, timeoutMs: 3000 })).received, 3)
assert.equal((await a.ping('192.0.2.1', { size: 1372, timeoutMs: 3000 })).received, 1)

// The host asks a guest: for its address, and then sends what it has.
await using captured = await a.capture()
const socket = createSocket('udp4').bind(0, '192.0.2.1')
await once(socket, 'listening')
const send = () => socket.send('hello from the host', 9, '192.0.2.2')
send()
const got = async () => {
  const frames = await captured.take(100, { timeoutMs: 100 })
  return frames.some((frame) => Buffer.from(frame).includes('hello from the host'))
}
let seen = false
for (let i = 0; i < 50 && !seen; i++) seen = await got()
assert.ok(seen, 'the guest got what the host sent')
socket.close()

// It cannot be taken away by hand; what the file says of it holds.
await assert.rejects(running.portDelete('vsw0'), /is the local port of bridge br0/)
await assert.rejects(running.portSet('vsw0', { adminState: 'down' }), /is the local port/)
const mac = linkOf('vsw0')?.address
stage.write({
  datapath,
  bridges: [{ name: 'br0', local: { ...local, addresses: ['192.0.2.9/24'] } }],
  ports: [stage.port('a')],
})
assert.deepEqual((await running.reload()).changes, ['local port vsw0 of bridge br0: made anew'])
await until('it has the other address', () => addressesOf('vsw0').includes('192.0.2.9/24'))
assert.ok(!addressesOf('vsw0').includes('192.0.2.1/24'))
assert.equal(linkOf('vsw0')?.address, mac)
assert.equal((await a.ping('192.0.2.9', { timeoutMs: 3000 })).received, 1)

// What `ip` refuses is told in its words, and leaves no half of a port.
stage.write({
  datapath,
  bridges: [{ name: 'br0', local: { iface: 'vsw1', addresses: ['ff02::1/64'] } }],
  ports: [stage.port('a')],
})
const refused = (await running.reload()).changes.join('\n')
assert.match(
  refused,
  /local port vsw1 of bridge br0: failed: ip address replace ff02::1\/64 dev vsw1: .*multicast/,
)
assert.equal(linkOf('vsw1'), undefined)
assert.equal(linkOf('vsw0'), undefined)
assert.ok(!stage.lines.some((line) => /^(error|warn).*(qdisc|secondary)/.test(line)))
await running.close()
