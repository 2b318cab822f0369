/** The switch, shut in as its unit says. systemd itself need not run: only its list of system calls is asked for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TestHost } from '../../../src/testkit/index.js'
import { socketFolder, until } from '../../support/loopback.js'
import { vswitch } from '../cli/vswitch.js'
import { Sandbox, unknownKeys } from './sandbox/sandbox.js'
import { serviceOf } from './sandbox/unit.js'

/** Why the sandbox cannot be made here. */
function obstacle(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const command of ['systemd-analyze', 'setpriv', 'findmnt', 'gcc']) {
    if (spawnSync(command, ['--version']).error) return `needs ${command}`
  }
  const { status, stderr } = spawnSync(
    'unshare',
    ['--mount', '--net', 'mount', '-t', 'tmpfs', 'tmpfs', '/run'],
    { encoding: 'utf8' },
  )
  return status !== 0 && `needs namespaces: ${stderr.trim()}`
}

const OPTIONS = { timeout: 240_000, skip: obstacle() }

async function outputOf(child: ReturnType<Sandbox['start']>): Promise<string> {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => {
      output += data
    })
  await once(child, 'close')
  return output
}

test('every line of the unit is one that these tests know', () => {
  assert.deepEqual(unknownKeys(), [])
})

test('the sandbox holds', OPTIONS, async () => {
  using folder = socketFolder()
  const sandbox = new Sandbox(folder.path)
  const attempts = {
    'write to /usr': 'touch /usr/in-the-sandbox',
    'write to /etc': 'touch /etc/in-the-sandbox',
    'write to /run': 'touch /run/in-the-sandbox',
    'write to its configuration': 'touch /run/etc/in-the-sandbox',
    'set a kernel parameter': 'echo 1 > /proc/sys/vm/overcommit_memory',
    mount: 'mount -t tmpfs tmpfs /mnt',
    'enter a namespace of users': 'unshare --user true',
    'load a module': 'insmod /dev/null',
  }
  const script = Object.entries(attempts).map(
    ([name, command]) => `if (${command}) 2>/dev/null; then echo "could ${name}"; fi`,
  )
  const may = ['/run/vswitch', '/run/vm', '/tmp'].map(
    (path) => `touch ${path}/x || echo "not ${path}"`,
  )
  const output = await outputOf(
    sandbox.start(['sh', '-c', [...script, ...may, 'echo done'].join('\n')]),
  )
  assert.equal(output, 'done\n')
})

test('the switch serves in it: frames, a reload, its end', OPTIONS, async () => {
  using folder = socketFolder()
  const sandbox = new Sandbox(folder.path)
  const at = (path: string) => join(folder.path, path)
  const host = (name: string, ip: string) =>
    TestHost.start({ name, path: at(`vm/${name}.sock`), ip })
  await using a = await host('a', '10.9.1.1')
  await using b = await host('b', '10.9.1.2')
  const port = (name: string) => ({
    name,
    type: 'dpdkvhostuserclient',
    path: `/run/vm/${name}.sock`,
  })
  const config = {
    datapath: { memory: 'memfd', memoryMiB: 64 },
    bridges: [{ name: 'br0' }],
    ports: [port('a'), port('b')],
  }
  const write = (what: object) => writeFileSync(at('etc/vswitch.json'), JSON.stringify(what))
  write(config)
  const running = sandbox.start([...Sandbox.VSWITCH, 'run', '/run/etc/vswitch.json'])
  let log = ''
  running.stderr?.on('data', (data) => {
    log += data
  })
  const closed = once(running, 'close')
  try {
    const socket = at('run/admin.sock')
    const served = () => log.includes('the switch runs') || running.exitCode !== null
    await until('it serves', served).catch((error) => {
      throw new Error(`${error.message}\n${log}`)
    })
    assert.equal(running.exitCode, null, log)
    const status = readFileSync(`/proc/${running.pid}/status`, 'utf8')
    assert.match(status, /^NoNewPrivs:\s*1$/m)
    assert.match(status, /^Seccomp:\s*2$/m)
    await Promise.all([a.linkUp(), b.linkUp()])
    assert.equal((await a.ping('10.9.1.2', { count: 10 })).received, 10)

    // What of the rights that it keeps is for: a socket of another user, a TAP.
    const server = { name: 's', type: 'dpdkvhostuser', path: '/run/vm/s.sock', uid: 65534 }
    const local = existsSync('/dev/net/tun')
    write({ ...config, bridges: [{ name: 'br0', local }], ports: [...config.ports, server] })
    const { code, stdout, stderr } = await vswitch(['reload'], { socket })
    assert.equal(code, 0, stderr + log)
    assert.doesNotMatch(stdout, /failed/)
    assert.equal(statSync(at('vm/s.sock')).uid, 65534)
    assert.equal((await b.ping('10.9.1.1', { count: 3 })).received, 3)

    const before = performance.now()
    running.kill('SIGTERM')
    const [ended] = await closed
    assert.equal(ended, 0, log)
    const limit = Number(serviceOf().get('TimeoutStopSec')?.[0]) * 1000
    assert.ok(performance.now() - before < limit)
    assert.doesNotMatch(log, /EPERM|not permitted|Read-only file system/i)
  } finally {
    running.kill('SIGKILL')
    await closed
  }
})
