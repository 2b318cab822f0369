// The test kit's machines themselves, behind a switch that is not ours: npm run test:vm -- guests
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { VirtualMachine, type VirtualMachineOptions } from '../../src/testkit/vm/virtual-machine.js'
import { Testpmd } from './testpmd.js'

const BOOT = { timeoutMs: 90_000 }

/** Two machines, their sockets in a folder of their own. */
class Pair implements AsyncDisposable {
  readonly folder: string
  readonly sockets: readonly [string, string]
  readonly machines: VirtualMachine[] = []

  private constructor(folder: string) {
    this.folder = folder
    this.sockets = [join(folder, 'vm0.sock'), join(folder, 'vm1.sock')]
  }

  static async start(
    options: Partial<VirtualMachineOptions> = {},
    { ipv6 = false } = {},
  ): Promise<Pair> {
    const pair = new Pair(await mkdtemp(join(tmpdir(), 'guests-')))
    try {
      for (const [i, socket] of pair.sockets.entries()) {
        const mac = `52:54:00:00:00:0${i + 1}`
        const ip = [`10.0.0.${i + 1}/24`, ...(ipv6 ? [`fd00::${i + 1}/64`] : [])]
        pair.machines.push(
          await VirtualMachine.start({ name: `vm${i}`, socket, mac, ip, ...options }),
        )
      }
      return pair
    } catch (error) {
      await pair[Symbol.asyncDispose]()
      throw error
    }
  }

  machine(index: number): VirtualMachine {
    const machine = this.machines[index]
    assert(machine)
    return machine
  }

  async ready(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.ready(BOOT)))
  }

  /** Pings in both directions; every ping has to be answered. */
  async pingBothWays(t: TestContext, bytes = 56): Promise<void> {
    for (const [i, other] of [2, 1].entries()) {
      const command = `ping -c 5 -i 0.2 -s ${bytes} 10.0.0.${other}`
      const { exitCode, output } = await this.machine(i).run(command)
      assert.equal(exitCode, 0, output)
      assert.match(output, /5 packets transmitted, 5 packets received/)
      t.diagnostic(`vm${i}: ${output.trim().split('\n').at(-1)}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.close()))
    await rm(this.folder, { recursive: true })
  }
}

describe('two guests behind a switch', () => {
  let pair: Pair
  let testpmd: Testpmd

  before(async () => {
    pair = await Pair.start()
    testpmd = new Testpmd(pair.sockets)
    await pair.ready()
  })
  after(async () => {
    await testpmd?.kill()
    await pair?.[Symbol.asyncDispose]()
  })

  it('boot and reach each other', async (t) => {
    for (const machine of pair.machines) {
      const { bootMs } = await machine.ready()
      t.diagnostic(`${machine.spec.name} booted in ${bootMs.toFixed()} ms`)
      assert.equal((await machine.link()).up, true)
      assert.equal(await machine.switchConnected(), true)
    }
    await pair.pingBothWays(t)
  })

  it('carry TCP unharmed', async () => {
    const [server, client] = [pair.machine(1), pair.machine(0)]
    const { output: sum } = await server.run(
      'dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null; httpd -h /tmp; sha256sum </tmp/data',
    )
    const { output } = await client.run('wget -qO- http://10.0.0.2/data | sha256sum')
    assert.match(sum, /^[0-9a-f]{64}/)
    assert.equal(output, sum)
  })

  it('report exit codes and every byte of the output', async () => {
    const machine = pair.machine(0)
    assert.equal((await machine.run('true')).exitCode, 0)
    assert.equal((await machine.run('exit 42')).exitCode, 42)
    assert.equal((await machine.run('kill -9 $$')).exitCode, 137)
    assert.equal((await machine.run('no-such-program')).exitCode, 127)
    assert.equal((await machine.run('printf a; printf b >&2; printf c')).output, 'abc')
    assert.equal(
      (await machine.run(`echo "it's" '"quoted"'\necho 'ä\\n'`)).output,
      `it's "quoted"\nä\\n\n`,
    )

    // What the messages of the channel look like, and all that a terminal would spoil.
    const odd = await machine.run(
      String.raw`printf '\001end \001begin x\n\001hello y ok\n\000\r\004\377\001'`,
    )
    assert.deepEqual(
      odd.bytes,
      Buffer.from('\u0001end \u0001begin x\n\u0001hello y ok\n\0\r\u0004\xff\u0001', 'latin1'),
    )
    const { bytes } = await machine.run('cat /bin/busybox; sha256sum </bin/busybox')
    const sum = bytes.subarray(-68).toString()
    assert.equal(sum, `${createHash('sha256').update(bytes.subarray(0, -68)).digest('hex')}  -\n`)
  })

  it('run commands at the same time', async () => {
    const machine = pair.machine(0)
    const started = performance.now()
    await Promise.all([1, 2, 3, 4].map(() => machine.run('sleep 1')))
    assert(performance.now() - started < 3000)

    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => machine.run(`seq ${i} ${i + 500}; exit ${i}`)),
    )
    for (const [i, { exitCode, output }] of results.entries()) {
      assert.equal(exitCode, i)
      assert.equal(output, Array.from({ length: 501 }, (_, j) => `${i + j}\n`).join(''))
    }
  })

  it('hand over lines as they are written', async () => {
    const times: number[] = []
    const lines: string[] = []
    await pair.machine(0).run('echo one; sleep 1; echo two; printf three', {
      onLine: (line) => {
        times.push(performance.now())
        lines.push(line)
      },
    })
    assert.deepEqual(lines, ['one', 'two', 'three'])
    assert((times[1] ?? 0) - (times[0] ?? 0) > 500)
  })

  it('kill a command that takes too long, with all it started', async () => {
    const machine = pair.machine(0)
    await assert.rejects(machine.run('echo begun; sleep 987 & sleep 987', { timeoutMs: 1500 }), {
      code: 'ERR_VM_TIMEOUT',
      output: 'begun\n',
    })
    const reason = new Error('enough')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 500)
    await assert.rejects(machine.run('sleep 987', { signal: controller.signal }), reason)

    const deadline = performance.now() + 10_000
    for (;;) {
      const { exitCode } = await machine.run('ps | grep "[s]leep 987"')
      if (exitCode === 1) break
      assert(performance.now() < deadline, 'the command is still there')
      await delay(100)
    }
  })

  it('go on after the switch was killed and started again', async (t) => {
    const boots = await Promise.all(pair.machines.map(bootId))
    let killedAt = Number.POSITIVE_INFINITY
    let resumedAt = 0
    const ping = pair.machine(0).run('ping -c 60 -i 0.2 10.0.0.2', {
      onLine: (line) => {
        if (performance.now() > killedAt && line.includes('bytes from'))
          resumedAt ||= performance.now()
      },
    })
    await delay(2000)
    await testpmd.kill()
    // A reply may still have been on its way.
    const down = await Promise.all(pair.machines.map((machine) => machine.waitForLink(false)))
    for (const machine of pair.machines) assert.equal(await machine.switchConnected(), false)
    killedAt = performance.now()

    const restartedAt = performance.now()
    testpmd = new Testpmd(pair.sockets)
    const up = await Promise.all(pair.machines.map((machine) => machine.waitForLink(true)))
    const { output } = await ping
    const [, received] = /(\d+) packets received/.exec(output) ?? []
    t.diagnostic(
      `traffic ${(resumedAt - restartedAt).toFixed()} ms after the start of the new switch`,
    )
    t.diagnostic(output.trim().split('\n').slice(-2).join('; '))
    assert(Number(received) >= 45, output)
    for (const i of [0, 1]) assert.equal((up[i]?.changes ?? 0) - (down[i]?.changes ?? 0), 1)
    assert.deepEqual(await Promise.all(pair.machines.map(bootId)), boots)
    await pair.pingBothWays(t)
  })

  it('let their driver go and take the device again', async (t) => {
    await pair.machine(0).rebindDriver()
    await pair.pingBothWays(t)
  })

  it('are reset', async (t) => {
    const machine = pair.machine(0)
    const boot = await bootId(machine)
    const lost = assert.rejects(machine.run('echo begun; sleep 987'), {
      code: 'ERR_VM_RESET',
      output: 'begun\n',
    })
    await delay(1000)
    await machine.reset()
    await lost
    t.diagnostic(`booted in ${(await machine.ready(BOOT)).bootMs.toFixed()} ms`)
    assert.notEqual(await bootId(machine), boot)
    await pair.pingBothWays(t)

    // Of its own will it is the same.
    await assert.rejects(machine.run('reboot -f'), { code: 'ERR_VM_RESET' })
    await machine.ready(BOOT)
    await pair.pingBothWays(t)
  })

  it('end by themselves', async () => {
    const machine = pair.machine(1)
    await assert.rejects(machine.run('poweroff -f'), { code: 'ERR_VM_ENDED' })
    assert.match((await machine.ended).message, /ended with code 0/)
    await assert.rejects(machine.run('true'), { code: 'ERR_VM_ENDED' })
    await assert.rejects(machine.ready(), { code: 'ERR_VM_ENDED' })
  })
})

describe('guests', () => {
  it('have packed rings, queue pairs, large frames and IPv6 when told so', async (t) => {
    const shape = { queues: 2, packed: true, mtu: 9000, rxQueueSize: 1024, txQueueSize: 512 }
    await using pair = await Pair.start(shape, { ipv6: true })
    await using _testpmd = new Testpmd(pair.sockets, { queues: 2, mtu: 9000 })
    await pair.ready()
    assert.equal((await pair.machine(0).link()).mtu, 9000)
    const features = await pair.machine(0).run('cat /sys/class/net/eth0/device/features')
    // Bits 3, 22 and 34: MTU, MQ and RING_PACKED.
    for (const bit of [3, 22, 34]) assert.equal(features.output[bit], '1', `feature ${bit}`)
    const queues = await pair.machine(0).run('ls /sys/class/net/eth0/queues')
    assert.deepEqual(queues.output.split('\n').filter(Boolean), ['rx-0', 'rx-1', 'tx-0', 'tx-1'])
    await pair.pingBothWays(t)
    await pair.pingBothWays(t, 8972)
    const { exitCode, output } = await pair.machine(0).run('ping6 -c 2 fd00::2')
    assert.equal(exitCode, 0, output)
  })

  it('connect to a switch that listens, and again when it comes back', async (t) => {
    await using pair = await Pair.start({ role: 'client', offloads: false })
    const first = new Testpmd(pair.sockets, { role: 'server' })
    await pair.ready()
    await pair.pingBothWays(t)
    await first.kill()
    await Promise.all(pair.machines.map((machine) => machine.waitForLink(false)))
    // testpmd leaves its sockets behind and does not listen on one that exists.
    await Promise.all(pair.sockets.map((path) => unlink(path)))
    await using _second = new Testpmd(pair.sockets, { role: 'server' })
    await Promise.all(pair.machines.map((machine) => machine.waitForLink(true)))
    await pair.pingBothWays(t)
  })

  it('say what they wait for, and leave nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guests-'))
    const socket = join(folder, 'a,b.sock')
    const machine = await VirtualMachine.start({ name: 'lonely', socket, mac: '52:54:00:00:00:01' })
    const pids = descendants(machine.pid)
    assert.equal((await pids).length, 1)
    await assert.rejects(machine.ready({ timeoutMs: 300 }), {
      code: 'ERR_VM_TIMEOUT',
      message: `lonely has not booted: no switch has connected to ${socket}`,
    })
    await assert.rejects(machine.run('true', { timeoutMs: 300 }), { code: 'ERR_VM_TIMEOUT' })
    await machine.close()
    await assertGone(await pids)
    assert.deepEqual(await readdir(folder), [])
    await rm(folder, { recursive: true })
  })

  it('end with their signal and at the end of their time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guests-'))
    const socket = join(folder, 'vm.sock')
    const controller = new AbortController()
    const common = { name: 'brief', socket, mac: '52:54:00:00:00:01' }
    const stopped = await VirtualMachine.start({ ...common, signal: controller.signal })
    controller.abort()
    await stopped.ended
    await stopped.close()

    await using expired = await VirtualMachine.start({ ...common, maxLifetimeMs: 700 })
    const error = await expired.ended
    assert.equal(error.message, 'QEMU of brief reached its maxLifetimeMs')
    await rm(folder, { recursive: true })
  })

  it('die with the process that started them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guests-'))
    const module = import.meta.resolve('../../src/testkit/vm/virtual-machine.js')
    const options = { name: 'orphan', socket: join(folder, 'vm.sock'), mac: '52:54:00:00:00:01' }
    const child = spawn(process.execPath, [
      ...['--input-type=module', '--eval'],
      `import { VirtualMachine } from ${JSON.stringify(module)}
       console.log((await VirtualMachine.start(${JSON.stringify(options)})).pid)`,
    ])
    const [text] = (await child.stdout.setEncoding('utf8').take(1).toArray()) as string[]
    const pids = [Number(text), ...(await descendants(Number(text)))]
    assert.equal(pids.length, 2)
    child.kill('SIGKILL')
    await assertGone(pids)
    await rm(folder, { recursive: true })
  })

  it('are not started with options that cannot be', async () => {
    const valid = { name: 'vm0', socket: '/tmp/vm0.sock', mac: '52:54:00:00:00:01' }
    const invalid = [
      { name: 'a b' },
      { socket: 'vm0.sock' },
      { socket: `/${'x'.repeat(107)}` },
      { mac: '53:54:00:00:00:01' },
      { mac: '5254.0000.0001' },
      { ip: '10.0.0.1' },
      { ip: ['10.0.0.1/24', '10.0.0.2/33'] },
      { queues: 0 },
      { memoryMiB: 1.5 },
      { rxQueueSize: 300 },
      { mtu: 67 },
    ]
    for (const options of invalid) {
      const [key] = Object.keys(options)
      await assert.rejects(
        VirtualMachine.start({ ...valid, ...options }),
        { code: 'ERR_VM_OPTION', message: new RegExp(`^${key}: expected`) },
        JSON.stringify(options),
      )
    }
  })

  it('say how to install what is missing', async () => {
    const before = process.env.XDG_CACHE_HOME
    process.env.XDG_CACHE_HOME = '/nonexistent'
    try {
      await assert.rejects(
        VirtualMachine.start({ name: 'vm0', socket: '/tmp/vm0.sock', mac: '52:54:00:00:00:01' }),
        { code: 'ERR_VM_MISSING', message: /npm run setup -- --vm/ },
      )
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME
      else process.env.XDG_CACHE_HOME = before
    }
  })
})

/** Changes with every boot of a guest. */
async function bootId(machine: VirtualMachine): Promise<string> {
  return (await machine.run('cat /proc/sys/kernel/random/boot_id')).output
}

/** Processes below this one. */
async function descendants(pid: number | undefined): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  const children = text.split(' ').filter(Boolean).map(Number)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}

async function assertGone(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + 8000
  const alive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  while (pids.some(alive)) {
    assert(performance.now() < deadline, `still running: ${pids.filter(alive)}`)
    await delay(50)
  }
}
