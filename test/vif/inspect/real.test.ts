// What is really there is seen: paused QEMUs on a switch of ours in both roles, and on an OVS-DPDK.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { allowedCpus, parseCpuList } from '../../../bench/cpus.js'
import { bridgeName, configuration, portPools } from '../../../bench/ovs/configuration.js'
import { OvsInstance } from '../../../bench/ovs/instance.js'
import {
  type Inspection,
  inspectVifs,
  newGuest,
  newVif,
  qemuArguments,
  type VifOptions,
} from '../../../src/vif/index.js'
import { reasonToSkip } from '../../ovs/skip.js'
import { socketFolder, until } from '../../support/loopback.js'
import { RunningSwitch } from '../../switch/cli/vswitch.js'

const QEMU = 'qemu-system-x86_64'
const noQemu =
  spawnSync(QEMU, ['--version']).status === 0 ? false : `no ${QEMU}: npm run setup -- --vm`

/** A QEMU that runs no guest: its network cards are made, and its sockets with them. */
class PausedQemu implements AsyncDisposable {
  readonly process: ChildProcess
  readonly #ended: Promise<unknown>
  log = ''

  constructor(vif: VifOptions, name: string) {
    const guest = newGuest({ name, memoryMiB: 64 })
    const machine = ['-S', '-accel', 'tcg', '-nodefaults', '-display', 'none', '-machine', 'q35']
    const args = qemuArguments([newVif(vif)], guest)
      // QEMU 7.2 under TCG crashes with vectors.
      .map((arg) =>
        arg.startsWith('virtio-net') ? `${arg.replace(/,vectors=\d+/, '')},vectors=0` : arg,
      )
    this.process = spawn(QEMU, [...machine, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 240_000,
      killSignal: 'SIGKILL',
    })
    this.process.stderr?.on('data', (data) => {
      this.log += data
    })
    this.#ended = once(this.process, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#ended
  }
}

/** Nobody else's OVS or libvirt is looked at. */
const ALONE = { ovsdb: 'unix:/nowhere/db.sock', libvirt: 'test:///default' }

test('QEMUs on a switch of ours: both roles, a clash, a stale socket', {
  skip: noQemu,
}, async () => {
  await using running = await RunningSwitch.start({
    bridges: [{ name: 'br0' }],
    ports: [],
  })
  const path = (name: string) => running.path(`${name}.sock`)
  const add = async (name: string, type: string) => {
    const { code, stderr } = await running.ask([
      'port',
      'add',
      name,
      `type=${type}`,
      `path=${path(name)}`,
      'queues=2',
    ])
    assert.equal(code, 0, stderr)
  }
  await add('client', 'dpdkvhostuserclient')
  await add('server', 'dpdkvhostuser')
  await add('both', 'dpdkvhostuserclient')
  await using first = new PausedQemu(
    { socket: path('client'), qemuMode: 'server', queues: 2 },
    'vm1',
  )
  await using second = new PausedQemu({ socket: path('server'), qemuMode: 'client' }, 'vm2')
  await using third = new PausedQemu(
    { socket: path('both'), qemuMode: 'client', reconnect: 1 },
    'vm3',
  )

  const look = async () => {
    const args = ['vif', 'inspect', '--json', '--ovsdb', ALONE.ovsdb, '--connect', ALONE.libvirt]
    const { code, stdout, stderr } = await running.ask(args)
    assert.equal(stderr, '')
    const found = JSON.parse(stdout) as Inspection
    const ports = found.ports.filter(({ socket }) => socket.startsWith(running.folder.path))
    return { code, ports, all: found }
  }
  let seen = await look()
  // Connected, and known to be by the switch.
  const isThere = ({ connected, state }: (typeof seen.ports)[number]) =>
    connected.length > 0 && state === 'connected'
  for (let i = 0; i < 50 && seen.ports.filter(isThere).length < 2; i++) seen = await look()

  const pid = running.process.pid
  const summary = seen.ports.map(
    ({ vm, port, qemuRole, switchRole, listening, connected, sharedMemory, state }) => ({
      vm,
      port,
      qemuRole,
      switchRole,
      listening,
      connected,
      sharedMemory,
      state,
    }),
  )
  assert.deepEqual(
    summary,
    [
      {
        ...{ vm: 'vm1', port: 'client', qemuRole: 'server', switchRole: 'client' },
        ...{ listening: [`${QEMU} ${first.process.pid}`], connected: [`vswitch ${pid}`] },
        ...{ sharedMemory: true, state: 'connected' },
      },
      {
        ...{ vm: 'vm2', port: 'server', qemuRole: 'client', switchRole: 'server' },
        ...{ listening: [`vswitch ${pid}`], connected: [`${QEMU} ${second.process.pid}`] },
        ...{ sharedMemory: true, state: 'connected' },
      },
      {
        ...{ vm: 'vm3', port: 'both', qemuRole: 'client', switchRole: 'client' },
        ...{ listening: [], connected: [] },
        ...{ sharedMemory: true, state: 'connecting' },
      },
    ],
    JSON.stringify(seen.all, undefined, 1) + first.log + second.log + third.log,
  )
  assert.equal(seen.code, 1)
  const errors = seen.all.findings.filter(
    ({ severity, socket }) => severity === 'error' && socket?.startsWith(running.folder.path),
  )
  assert.deepEqual(
    errors.map(({ vm, check }) => `${vm} ${check}`),
    ['vm3 roles'],
  )

  await first[Symbol.asyncDispose]()
  await until('its socket is left over', () => existsSync(path('client')))
  seen = await look()
  assert.deepEqual(
    seen.all.findings
      .filter(({ port }) => port === 'client')
      .map(({ severity, check, fix }) => [severity, check, fix]),
    [['warning', 'socket', `sudo rm ${path('client')}`]],
  )
})

test('a QEMU on OVS-DPDK', { skip: noQemu || reasonToSkip() }, async () => {
  using folder = socketFolder()
  const socket = join(folder.path, 'vhu1')
  await using qemu = new PausedQemu({ socket, qemuMode: 'server' }, 'vm1')
  await until('QEMU listens', () => existsSync(socket))
  await using ovs = await OvsInstance.create(folder.path)
  const bridge = bridgeName()
  const eal = {
    kind: 'memfd',
    mib: 512,
    ealArgs: ['--no-huge', '--no-shconf', '-m', '512'],
  } as const
  const settings = [...portPools(eal), 'other_config:pmd-maxsleep=200']
  const cpu = parseCpuList(allowedCpus())[0] ?? 0
  const one = { name: 'vhu1', path: socket, number: 1 }
  await ovs.vsctl('--no-wait', ...configuration(bridge, [one], cpu, settings))
  await using daemon = ovs.startDaemon()
  await Promise.race([ovs.ready(bridge), daemon.failed])
  const look = () => inspectVifs({ ...ALONE, ovsdb: `unix:${folder.path}/db.sock` })
  let seen = await look()
  const ours = () => seen.ports.find((port) => port.socket === socket)
  for (let i = 0; i < 50 && ours()?.connected.length === 0; i++) {
    await sleep(100)
    seen = await look()
  }
  const { vm, port, qemuRole, switchRole, listening, connected, state } = ours() ?? {}
  assert.deepEqual(
    { vm, port, bridge: ours()?.bridge, qemuRole, switchRole, listening },
    {
      ...{ vm: 'vm1', port: 'vhu1', bridge, qemuRole: 'server', switchRole: 'client' },
      ...{ listening: [`${QEMU} ${qemu.process.pid}`] },
    },
  )
  assert.match(connected?.join() ?? '', /^ovs-vswitchd\S* \d+$/)
  // The guest does not run, and nothing in it drives the card.
  assert.equal(state, 'disconnected')
  const own = seen.findings.filter((finding) => finding.socket === socket)
  assert.ok(own.some(({ check, severity }) => check === 'guest' && severity === 'note'))
  assert.ok(
    own.every(({ severity }) => severity === 'note'),
    JSON.stringify(own),
  )
})
