/** What is found on made-up machines, and on this one. */
import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  examine,
  type Finding,
  type Subject,
  type SubjectPort,
  worst,
} from '../../src/doctor/index.js'
import { type Files, GOOD, madeUpMachine } from './made-up-machine.js'

const client: SubjectPort = { name: 'a', type: 'dpdkvhostuserclient', path: '/run/vm/a.sock' }
const server: SubjectPort = { name: 'b', type: 'dpdkvhostuser', path: '/run/sw/b.sock' }
const SUBJECT: Subject = {
  datapath: { memory: 'hugepages', memoryMiB: 1024 },
  lcores: [
    { name: 'one', cpu: 2 },
    { name: 'two', cpu: 3 },
  ],
  ports: [{ name: 'up', type: 'dpdk', devargs: '0000:03:00.0' }],
}

const qemu = (pid: number, ...args: string[]): Files => ({
  [`/proc/${pid}/cmdline`]: ['/usr/bin/qemu-system-x86_64', ...args, ''].join('\0'),
  [`/proc/${pid}/status`]: 'Uid:\t64055\t64055\t64055\t64055\n',
})
const MEMORY = 'memory-backend-memfd,id=mem,size=1G,share=on'

interface More {
  readonly qemu?: string
  readonly dpdk?: { version: string } | { trouble: string }
  /** Owner of folders, by path. */
  readonly owners?: Record<string, number>
}

async function look(subject: Subject, files: Files = {}, more: More = {}): Promise<Finding[]> {
  using machine = madeUpMachine(GOOD, files)
  for (const [path, uid] of Object.entries(more.owners ?? {}))
    chownSync(machine.path + path, uid, uid)
  return await examine(subject, {
    root: machine.path,
    unit: 'vswitch.service',
    run: (command, [arg]) =>
      arg === '--version' && command.includes('qemu')
        ? `QEMU emulator version ${more.qemu ?? '7.2.22'} (Debian)`
        : '',
    dpdk: async () => more.dpdk ?? { version: 'DPDK 23.11.2' },
  })
}

test('of a machine that is as it should be nothing is said but that', async () => {
  const findings = await look(SUBJECT)
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'ok'),
    [],
  )
  assert.equal(worst(findings), 'ok')
  assert.deepEqual([...new Set(findings.map(({ check }) => check))].sort(), [
    'CPU',
    'DPDK',
    'NUMA',
    'QEMU',
    'cpu governor',
    'cpu isolation',
    'hugepages',
    'kernel',
    'lcores',
    'memory lock',
    'open files',
    'systemd',
  ])
})

interface Case {
  readonly subject?: Subject
  readonly files?: Files
  readonly more?: More
  readonly check: string
  readonly severity: 'note' | 'warning' | 'error'
  readonly seen: RegExp
  readonly fix: RegExp
}

const HUGE = '/sys/kernel/mm/hugepages/hugepages-2048kB'
const cases: Record<string, Case> = {
  'too few hugepages where they are a must': {
    files: { [`${HUGE}/free_hugepages`]: '100\n' },
    check: 'hugepages',
    severity: 'error',
    seen: /^100 of 600 of 2 MiB free; memoryMiB is 1024$/,
    // 200 MiB are there.
    fix: /^echo 1012 \| sudo tee \/sys\/kernel\/mm\/hugepages\/hugepages-2048kB\/nr_hugepages {2}# until/,
  },
  'no hugepages at all': {
    files: { [`${HUGE}/free_hugepages`]: '0\n', [`${HUGE}/nr_hugepages`]: '0\n' },
    check: 'hugepages',
    severity: 'error',
    seen: /^none are set aside; memoryMiB is 1024$/,
    fix: /^echo 512 \|/,
  },
  'too few hugepages where they are not': {
    subject: { ...SUBJECT, datapath: { memory: 'auto', memoryMiB: 2048 } },
    check: 'hugepages',
    severity: 'warning',
    seen: /memoryMiB is 2048/,
    fix: /^echo 1112 \|/,
  },
  'no hugepages on the node of an lcore': {
    files: {
      '/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages': '0\n',
    },
    check: 'hugepages',
    severity: 'warning',
    seen: /none free on NUMA node 0/,
    fix: /node0\/hugepages\/hugepages-2048kB\/nr_hugepages/,
  },
  'little memory may be locked': {
    files: {
      '/proc/self/limits':
        'Max open files   65536  65536\nMax locked memory  8388608  8388608 bytes\n',
    },
    check: 'memory lock',
    severity: 'warning',
    seen: /limit of 8192 KiB; packet memory is 1024 MiB/,
    fix: /ulimit -l unlimited/,
  },
  'few files may be opened': {
    subject: { ...SUBJECT, ports: Array.from({ length: 9 }, () => ({ ...client, queues: 16 })) },
    files: {
      '/proc/self/limits': 'Max open files   1024  65536\nMax locked memory  unlimited  1 bytes\n',
      '/run/vm/': '755',
    },
    check: 'open files',
    severity: 'error',
    seen: /limit of 1024; 9 ports may need 1136/,
    fix: /ulimit -n 2048/,
  },
  'an lcore on a CPU that is off': {
    files: { '/sys/devices/system/cpu/online': '0-2,4-7\n' },
    check: 'lcores',
    severity: 'error',
    seen: /two is to run on CPU 3; online are 0-2,4-7/,
    fix: /echo 1 \| sudo tee \/sys\/devices\/system\/cpu\/cpu3\/online/,
  },
  'an lcore on a CPU that the process may not use': {
    files: { '/proc/self/status': 'Uid: 0 0 0 0\nGid: 0 0\nCapEff: 0\nCpus_allowed_list:\t0-2\n' },
    check: 'lcores',
    severity: 'error',
    seen: /two is to run on CPU 3; this process may use 0-2/,
    fix: /taskset -c 2,3/,
  },
  'two lcores on one CPU': {
    subject: {
      ...SUBJECT,
      lcores: [
        { name: 'x', cpu: 2 },
        { name: 'y', cpu: 2 },
      ],
    },
    check: 'lcores',
    severity: 'error',
    seen: /x and y share CPU 2/,
    fix: /another cpu/,
  },
  'two lcores on one core': {
    subject: {
      ...SUBJECT,
      lcores: [
        { name: 'x', cpu: 2 },
        { name: 'y', cpu: 6 },
      ],
    },
    files: { '/sys/devices/system/cpu/isolated': '2-6\n' },
    check: 'lcores',
    severity: 'warning',
    seen: /hardware threads of one core \(CPUs 2, 6\)/,
    fix: /another cpu/,
  },
  'CPUs of lcores that others use': {
    files: { '/sys/devices/system/cpu/isolated': '\n' },
    check: 'cpu isolation',
    severity: 'warning',
    seen: /CPUs 2, 3 of lcores are not isolated/,
    fix: /isolcpus=managed_irq,domain,2,3 nohz_full=2,3 rcu_nocbs=2,3/,
  },
  'an lcore on the CPU that the kernel needs': {
    subject: { ...SUBJECT, lcores: [{ name: 'x', cpu: 0 }] },
    files: { '/sys/devices/system/cpu/isolated': '\n' },
    check: 'cpu isolation',
    severity: 'warning',
    seen: /^CPU 0 of lcores is not isolated$/,
    fix: /^give lcores other CPUs than 0/,
  },
  'a governor that saves power': {
    files: { '/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor': 'powersave\n' },
    check: 'cpu governor',
    severity: 'warning',
    seen: /^CPU 3: powersave$/,
    fix: /^echo performance \| sudo tee \S*\/cpu3\/cpufreq\/scaling_governor$/,
  },
  'lcores on two nodes': {
    subject: {
      ...SUBJECT,
      lcores: [
        { name: 'x', cpu: 2 },
        { name: 'y', cpu: 5 },
      ],
    },
    files: {
      '/sys/devices/system/cpu/isolated': '2-5\n',
      '/sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages': '9\n',
    },
    check: 'NUMA',
    severity: 'warning',
    seen: /lcores run on nodes 0 and 1/,
    fix: /node 0 has 0,1,2,3; node 1 has 4,5,6,7/,
  },
  'a device on another node': {
    files: { '/sys/bus/pci/devices/0000:03:00.0/numa_node': '1\n' },
    check: 'NUMA',
    severity: 'warning',
    seen: /device of port up is on node 1, lcores are on 0/,
    fix: /CPUs of one node/,
  },
  'pages that wander': {
    files: { '/proc/sys/kernel/numa_balancing': '1\n' },
    check: 'NUMA',
    severity: 'warning',
    seen: /kernel\.numa_balancing = 1/,
    fix: /^sudo sysctl kernel\.numa_balancing=0$/,
  },
  'an old kernel': {
    files: { '/proc/sys/kernel/osrelease': '3.10.0-1160.el7.x86_64\n' },
    check: 'kernel',
    severity: 'error',
    seen: /^3\.10/,
    fix: /linux-image/,
  },
  'a device that the kernel has': {
    files: { '/sys/bus/pci/devices/0000:03:00.0/driver': '-> ../drivers/ixgbe' },
    check: 'kernel',
    severity: 'error',
    seen: /port up: device 0000:03:00\.0 has the driver ixgbe/,
    fix: /dpdk-devbind\.py --bind=vfio-pci 0000:03:00\.0/,
  },
  'a device that is not there': {
    subject: { ...SUBJECT, ports: [{ name: 'up', type: 'dpdk', devargs: '04:00.0,x=1' }] },
    check: 'kernel',
    severity: 'error',
    seen: /there is no PCI device 0000:04:00\.0/,
    fix: /lspci/,
  },
  'an old DPDK': {
    more: { dpdk: { version: 'DPDK 21.11.4' } },
    check: 'DPDK',
    severity: 'error',
    seen: /21\.11\.4/,
    fix: /DPDK 22\.11 or later/,
  },
  'an addon that does not load': {
    more: { dpdk: { trouble: 'librte_vhost.so.23 is missing' } },
    check: 'DPDK',
    severity: 'error',
    seen: /librte_vhost\.so\.23/,
    fix: /npm run/,
  },
  'an old CPU': {
    files: {
      '/proc/cpuinfo': 'model name : QEMU Virtual CPU\nflags : sse2 constant_tsc nonstop_tsc\n',
    },
    check: 'CPU',
    severity: 'error',
    seen: /has no SSE 4\.2/,
    fix: /-cpu host/,
  },
  'a clock that changes': {
    files: { '/proc/cpuinfo': 'model name : X\nflags : sse4_2 constant_tsc\n' },
    check: 'CPU',
    severity: 'warning',
    seen: /X has no nonstop_tsc/,
    fix: /invtsc/,
  },
  'a folder of a client that is not there': {
    subject: { ...SUBJECT, ports: [client] },
    check: 'sockets',
    severity: 'note',
    seen: /a: the folder \/run\/vm does not exist/,
    fix: /mkdir -p \/run\/vm/,
  },
  'a folder of a server that is not there': {
    subject: { ...SUBJECT, ports: [server] },
    check: 'sockets',
    severity: 'error',
    seen: /b: the folder \/run\/sw does not exist/,
    fix: /mkdir -p \/run\/sw/,
  },
  'a folder that is not for us': {
    subject: { ...SUBJECT, ports: [server] },
    files: { '/run/sw/': '755' },
    more: { owners: { '/run/sw': 0 } },
    check: 'sockets',
    severity: 'error',
    seen: /b: \/run\/sw \(755 root:root\) is not for user vswitch/,
    fix: /setfacl -m u:vswitch:rwx \/run\/sw/,
  },
  'a folder that is not for QEMU': {
    subject: { ...SUBJECT, ports: [client] },
    files: { '/run/vm/': '755', ...qemu(77, '-object', MEMORY) },
    more: { owners: { '/run/vm': 1000 } },
    check: 'sockets',
    severity: 'warning',
    seen: /\/run\/vm \(755 vswitch:vswitch\) is not for libvirt-qemu/,
    fix: /setfacl -m u:libvirt-qemu:rwx/,
  },
  'a socket that QEMU may not connect to': {
    subject: { ...SUBJECT, ports: [server] },
    files: { '/run/sw/': '755', ...qemu(77, '-object', MEMORY) },
    more: { owners: { '/run/sw': 1000 } },
    check: 'sockets',
    severity: 'warning',
    seen: /the socket belongs to vswitch alone; QEMU runs as libvirt-qemu/,
    fix: /vswitch port set b uid=libvirt-qemu mode=0600/,
  },
  'a folder for everybody': {
    subject: { ...SUBJECT, ports: [client] },
    files: { '/run/vm/': '777' },
    check: 'sockets',
    severity: 'warning',
    seen: /everybody may write to \/run\/vm \(777/,
    fix: /chmod o-w \/run\/vm/,
  },
  'a file in the place of a socket': {
    subject: { ...SUBJECT, ports: [client] },
    files: { '/run/vm/': '755', '/run/vm/a.sock': 'x' },
    check: 'sockets',
    severity: 'error',
    seen: /a: \/run\/vm\/a\.sock is no socket/,
    fix: /mv /,
  },
  'an old QEMU': {
    more: { qemu: '2.5.0' },
    check: 'QEMU',
    severity: 'error',
    seen: /^2\.5\.0, none runs/,
    fix: /apt-get install/,
  },
  'a guest without shared memory': {
    subject: { ...SUBJECT, ports: [client] },
    files: {
      '/run/vm/': '777',
      ...qemu(77, '-chardev', 'socket,id=c,path=/run/vm/a.sock,server=on'),
    },
    check: 'QEMU',
    severity: 'error',
    seen: /process 77 \(user libvirt-qemu\) of port a has no shared memory/,
    fix: /memory-backend-memfd,id=mem,size=SIZE,share=on/,
  },
  'both sides listen': {
    subject: { ...SUBJECT, ports: [{ ...server, mode: 0o666 }] },
    files: {
      '/run/sw/': '777',
      ...qemu(77, '-chardev', 'socket,id=c,path=/run/sw/b.sock,server=on', '-object', MEMORY),
    },
    check: 'QEMU',
    severity: 'error',
    seen: /listens, and so does the port/,
    fix: /make b a dpdkvhostuserclient/,
  },
  'a guest that does not connect again': {
    subject: { ...SUBJECT, ports: [{ ...server, mode: 0o666 }] },
    files: {
      '/run/sw/': '777',
      ...qemu(77, '-chardev', 'socket,id=c,path=/run/sw/b.sock', '-object', MEMORY),
    },
    check: 'QEMU',
    severity: 'warning',
    seen: /does not connect again/,
    fix: /reconnect=1/,
  },
  'a unit with the limits of systemd': {
    files: {
      '/etc/systemd/system/vswitch.service': '[Service]\nRestart=always\nLimitNOFILE=65536\n',
    },
    check: 'systemd',
    severity: 'warning',
    seen: /does not set LimitMEMLOCK/,
    fix: /systemctl edit vswitch\.service.*LimitMEMLOCK=infinity/,
  },
  'a drop-in that takes a setting back': {
    files: { '/etc/systemd/system/vswitch.service.d/x.conf': '[Service]\nLimitNOFILE=1024\n' },
    check: 'systemd',
    severity: 'warning',
    seen: /has LimitNOFILE=1024/,
    fix: /LimitNOFILE=65536/,
  },
  'a unit that V8 does not live under': {
    files: {
      '/run/systemd/system/vswitch.service.d/x.conf': '[Service]\nMemoryDenyWriteExecute=yes\n',
    },
    check: 'systemd',
    severity: 'error',
    seen: /MemoryDenyWriteExecute=yes/,
    fix: /MemoryDenyWriteExecute=no/,
  },
  'no unit': {
    files: { '/etc/systemd/system/vswitch.service': 'gone' },
    check: 'systemd',
    severity: 'note',
    seen: /there is no unit/,
    fix: /docs\/vswitch\.md/,
  },
}

describe('found is', () => {
  for (const [
    name,
    { subject = SUBJECT, files, more, check, severity, seen, fix },
  ] of Object.entries(cases)) {
    const needsRoot = more?.owners !== undefined && process.getuid?.() !== 0
    test(name, { skip: needsRoot && 'only root can give folders to others' }, async () => {
      const findings = await look(subject, files, more)
      const found = findings.find((one) => one.check === check && seen.test(one.seen))
      assert.ok(found, JSON.stringify(findings, null, 1))
      assert.equal(found.severity, severity)
      assert.match(found.fix ?? '', fix)
      assert.ok((found.why ?? '') !== '')
    })
  }
})

test('a guest that is as it should be', async () => {
  const ports = [client]
  const files = {
    '/run/vm/': '777',
    ...qemu(77, '-chardev', 'socket,id=c,path=/run/vm/a.sock,server=on', '-object', MEMORY),
  }
  const findings = (await look({ ...SUBJECT, ports }, files)).filter(
    ({ check }) => check === 'QEMU',
  )
  assert.deepEqual(findings, [
    { check: 'QEMU', severity: 'ok', seen: '7.2.22, runs as libvirt-qemu' },
    { check: 'QEMU', severity: 'ok', seen: 'process 77 (user libvirt-qemu) of port a' },
  ])
})

const isRoot = process.getuid?.() === 0
test('a folder that a user may not look into is not said to be missing', {
  skip: isRoot ? false : 'only root becomes another user',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-vhost-doctor-'))
  try {
    process.seteuid?.(65534)
    const ports: SubjectPort[] = [{ ...client, path: join(folder, 'vm', 'a.sock') }]
    const dpdk = async () => ({ version: 'DPDK 22.11.0' })
    const findings = await examine({ ports }, { dpdk, run: () => '' })
    const [found, ...others] = findings.filter(({ check }) => check === 'sockets')
    assert.match(found?.seen ?? '', /^a: user \S+ may not look into \S+\/vm$/)
    assert.deepEqual(others, [])
  } finally {
    process.seteuid?.(0)
    rmSync(folder, { recursive: true })
  }
})

test('a machine of which nothing can be seen is no reason to fail', async () => {
  using machine = madeUpMachine()
  const dpdk = async () => ({ version: 'DPDK 22.11.0' })
  const findings = await examine(SUBJECT, { root: machine.path, dpdk, unit: 'x.service' })
  assert.equal(worst(findings), 'error')
  assert.ok(findings.every(({ seen, why, severity }) => seen !== '' && (severity === 'ok' || why)))
})

test('this machine: what it says is so', async () => {
  const findings = await examine({ datapath: { memory: 'memfd', memoryMiB: 64 } })
  assert.equal(findings.find(({ check }) => check === 'DPDK')?.severity, 'ok')
  assert.equal(findings.find(({ check }) => check === 'hugepages')?.severity, 'ok')
  assert.notEqual(worst(findings), 'error', JSON.stringify(findings, null, 1))
})
