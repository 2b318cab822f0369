import { allowedCpus, parseCpuList } from '../../../bench/cpus.js'
import { findOvs } from '../../../bench/ovs/find.js'
import { until } from '../../support/loopback.js'
import type { Machine } from './machine.js'

const RUN = '/var/run/openvswitch'
const DATABASE = '/etc/openvswitch/conf.db'
const MEMORY_MIB = 256

/** OVS-DPDK in a machine, at the places where distributions have it, so that `ovs-vsctl` needs no options. */
export class Ovs {
  readonly #machine: Machine
  readonly #owner: string
  readonly #cpu: number

  /** @param owner - `user:group` of its processes */
  static async start(machine: Machine, owner: string): Promise<Ovs> {
    const self = new Ovs(machine, owner)
    const { data } = findOvs()
    machine.must('mkdir', '-p', RUN, '/etc/openvswitch', '/var/log/openvswitch')
    machine.must('chown', owner, RUN, '/etc/openvswitch', '/var/log/openvswitch')
    machine.must('chmod', '775', RUN)
    machine.must('ovsdb-tool', 'create', DATABASE, `${data}/vswitch.ovsschema`)
    machine.must('chown', owner, DATABASE)
    machine.must(
      'ovsdb-server',
      ...self.#daemon('ovsdb-server'),
      `--remote=punix:${RUN}/db.sock`,
      DATABASE,
    )
    const extra = `--no-pci --no-telemetry --file-prefix=ovs --no-huge --no-shconf -m ${MEMORY_MIB} --legacy-mem`
    self.vsctl(
      ...['--no-wait', 'set', 'Open_vSwitch', '.', 'other_config:dpdk-init=true'],
      ...[`other_config:dpdk-extra="${extra}"`, 'other_config:per-port-memory=true'],
      ...[
        `other_config:pmd-cpu-mask="0x${(1 << self.#cpu).toString(16)}"`,
        'other_config:pmd-maxsleep=200',
      ],
    )
    await self.run()
    return self
  }

  private constructor(machine: Machine, owner: string) {
    this.#machine = machine
    this.#owner = owner
    this.#cpu = parseCpuList(allowedCpus())[0] ?? 0
  }

  vsctl(...args: readonly string[]): string {
    return this.#machine.must('ovs-vsctl', '--timeout=30', ...args)
  }

  /** Starts the daemon that switches. */
  async run(): Promise<void> {
    const { vswitchd } = findOvs()
    this.#machine.must(vswitchd, ...this.#daemon('ovs-vswitchd'), `unix:${RUN}/db.sock`)
    const done = () => this.vsctl('set', 'Open_vSwitch', '.', 'external_ids:asked=ready') === ''
    await until('OVS does what its database says', done, 30_000)
  }

  /** Ends it as a crash does. */
  kill(): void {
    this.#machine.must('sh', '-c', `kill -9 $(cat ${RUN}/ovs-vswitchd.pid)`)
  }

  #daemon(name: string): string[] {
    return [
      ...['--detach', '--no-chdir', `--user=${this.#owner}`, `--pidfile=${RUN}/${name}.pid`],
      ...[`--log-file=/var/log/openvswitch/${name}.log`, '-vsyslog:off', '-vconsole:off'],
    ]
  }
}
