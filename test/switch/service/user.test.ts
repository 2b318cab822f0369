/** `vswitch run --user`: root starts it, another user goes on. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PortView } from '../../../src/switch/control.js'
import { TestHost } from '../../../src/testkit/index.js'
import { socketFolder, until } from '../../support/loopback.js'
import { RunningSwitch, vswitch } from '../cli/vswitch.js'

const NOBODY = 65534
const OPTIONS = { timeout: 240_000, skip: process.getuid?.() !== 0 && 'needs root' }

/** What the kernel says of each thread of a process: its name, and the values of some lines of its status. */
function threads(pid: number, keys: readonly string[]): { name: string; values: string[] }[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')
    const value = (key: string) =>
      new RegExp(`^${key}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1]?.replaceAll('\t', ' ') ?? ''
    return { name: value('Name'), values: keys.map(value) }
  })
}

test(
  'all threads become that user, frames flow on, and what needs root is refused',
  OPTIONS,
  async () => {
    using folder = socketFolder()
    chmodSync(folder.path, 0o755)
    const path = (name: string) => join(folder.path, `${name}.sock`)
    const start = (name: string, ip: string) => TestHost.start({ name, path: path(name), ip })
    await using a = await start('a', '10.9.0.1')
    const port = (name: string) => ({ name, type: 'dpdkvhostuserclient', path: path(name) })
    const base = {
      bridges: [{ name: 'br0' }],
      lcores: [{ name: 'l0' }, { name: 'l1' }],
      ports: [port('a'), port('b')],
      admin: { socket: join(folder.path, 'run/vswitch/admin.sock') },
    }
    await using running = await RunningSwitch.start(base, {
      args: ['--user', `${NOBODY}:${NOBODY}`],
    })
    const ask = (...args: string[]) => running.ask(args, { socket: base.admin.socket })
    await a.linkUp()
    await running.logged(`root is given up: this is user ${NOBODY}, group ${NOBODY}`)

    const four = Array(4).fill(NOBODY).join(' ')
    const none = '0'.repeat(16)
    const all = threads(running.process.pid as number, ['Uid', 'Gid', 'Groups', 'CapEff', 'CapPrm'])
    for (const { name, values } of all)
      assert.deepEqual(values, [four, four, `${NOBODY}`, none, none], name)
    const names = all.map(({ name }) => name)
    for (const name of ['dpdk-control', 'eal-intr-thread', 'vhost-events'])
      assert.ok(names.includes(name), names.join())

    // One that connects only now does so as that user.
    await using b = await start('b', '10.9.0.2')
    const reason = async () => {
      const { stdout } = await ask('ports', '--json')
      return (
        (JSON.parse(stdout) as PortView[]).find(({ name }) => name === 'b')?.status.reason ?? ''
      )
    }
    await until('the reason is told', async () => /permission/i.test(await reason()))
    chmodSync(path('b'), 0o777)
    await b.linkUp()
    assert.equal((await a.ping('10.9.0.2', { count: 10 })).received, 10)

    // It reads its configuration again as that user.
    chmodSync(running.folder.path, 0o755)
    const refused = async (config: object, why: RegExp) => {
      running.write({ ...base, ...config })
      const { code, stderr } = await ask('reload')
      assert.equal(code, 1)
      assert.match(stderr, why)
    }
    const needsRoot = 'needs root, which this process gave up by --user; restart it'
    const changed = [port('a')]
    await refused(
      { bridges: [{ name: 'br0', local: true }], ports: changed },
      RegExp(`bridge br0: its local port ${needsRoot}`),
    )
    const tap = { name: 'tap0', type: 'dpdk', devargs: 'net_tap0' }
    await refused(
      { ports: [...changed, tap] },
      RegExp(`port tap0: a device of DPDK's ${needsRoot}`),
    )
    const server = { name: 's', type: 'dpdkvhostuser', path: path('s') }
    await refused(
      { ports: [...changed, server] },
      RegExp(`give user ${NOBODY} access to the folder`),
    )
    const given = { ...server, path: join(folder.path, 'run/vswitch/s.sock') }
    await refused(
      { ports: [...changed, { ...given, uid: 0 }] },
      RegExp(`port s: a socket of another user or group ${needsRoot}`),
    )
    const byHand = await ask('port', 'add', 'tap0', 'type=dpdk', 'devargs=net_tap0')
    assert.match(byHand.stderr, RegExp(needsRoot))
    // Nothing was changed by any of them.
    assert.equal((await a.ping('10.9.0.2', { count: 3 })).received, 3)

    running.write({ ...base, ports: [...base.ports, { ...given, uid: NOBODY }] })
    const { code, stdout } = await ask('reload')
    assert.equal(code, 0)
    assert.match(stdout, /port s: added/)
    assert.equal(statSync(given.path).uid, NOBODY)

    assert.equal(statSync(base.admin.socket).uid, NOBODY)
    running.process.kill('SIGTERM')
    assert.equal(await running.ended, 0, running.log)
    assert.ok(!existsSync(base.admin.socket))
  },
)

test('a user that cannot be is refused before anything starts', OPTIONS, async () => {
  await using running = await RunningSwitch.start({ bridges: [{ name: 'br0' }] })
  const refused = async (user: string, why: RegExp, uid?: number) => {
    const args = ['run', running.config, '--socket', running.path('other'), '--user', user]
    const { code, stderr } = await vswitch(args, uid === undefined ? {} : { uid })
    assert.equal(code, 1)
    assert.match(stderr, why)
  }
  await refused('nobody', /--user nobody: only root can .*leave --user away/, NOBODY)
  await refused('no-such-user', /there is no user no-such-user/)
  await refused('root', /that is root; name another user/)
  await refused('nobody:', /give USER or USER:GROUP/)
  await refused('nobody:no-such-group', /there is no group no-such-group/)
  await refused('3999999999', /no group is known of user 3999999999; give 3999999999:GROUP/)
})
