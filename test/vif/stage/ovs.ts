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
  readonly #cpu = parseCpuList(allowedCpus())[0] ?? 0

  /** @param owner - `user:group` of its processes */
  static async start(machine: Machine, owner: string): Promise<Ovs> {
    const self = new Ovs(machine, owner)
    const { data } = findOvs()
    machine.must('mkdir', '-p', RUN, '/etc/openvswitch', '/var/log/openvswitch')
    machine.must('ovsdb-tool', 'create', DATABASE, `${data}/vswitch.ovsschema`)
    const own = ['chown', '-R', owner, RUN, '/etc/openvswitch', '/var/log/openvswitch']
    machine.must(...(own as [string, ...string[]]))
    machine.must('chmod', '775', RUN)
    self.#daemon('ovsdb-server', 'ovsdb-server', `--remote=punix:${RUN}/db.sock`, DATABASE)
    const extra = `--no-pci --no-telemetry --file-prefix=ovs --no-huge --no-shconf -m ${MEMORY_MIB} --legacy-mem`
    self.vsctl(
      ...['--no-wait', 'set', 'Open_vSwitch', '.', 'other_config:dpdk-init=true'],
      ...[`other_config:dpdk-extra="${extra}"`, 'other_config:per-port-memory=true'],
      `other_config:pmd-cpu-mask="0x${(1 << self.#cpu).toString(16)}"`,
      // Others need the CPU too.
      'other_config:pmd-maxsleep=200',
    )
    await self.run()
    return self
  }

  private constructor(machine: Machine, owner: string) {
    this.#machine = machine
    this.#owner = owner
  }

  vsctl(...args: readonly string[]): string {
    return this.#machine.must('ovs-vsctl', '--timeout=30', ...args)
  }

  /** Starts the daemon that switches. */
  async run(): Promise<void> {
    const { vswitchd } = findOvs()
    this.#daemon('ovs-vswitchd', vswitchd, `unix:${RUN}/db.sock`)
    const done = () => this.vsctl('set', 'Open_vSwitch', '.', 'external_ids:asked=ready') === ''
    await until('OVS does what its database says', done, 30_000)
  }

  /** Ends it as a crash does. Sockets on which it listened are removed: it would not listen there again. */
  kill(): void {
    const gone = 'for i in $(seq 200); do [ -e /proc/$p ] || exit 0; sleep 0.05; done; exit 1'
    this.#machine.must('sh', '-c', `p=$(cat ${RUN}/ovs-vswitchd.pid); kill -9 $p; ${gone}`)
    this.#machine.must('find', RUN, '-name', 'vhu*', '-type', 's', '-delete')
  }

  #daemon(name: string, program: string, ...args: readonly string[]): void {
    const [user, group = ''] = this.#owner.split(':')
    // With --user it gives up the right to pass over permissions, even as root.
    const as = user === 'root' ? ['setpriv', `--regid=${group}`, '--clear-groups'] : []
    const options = [
      ...['--detach', '--no-chdir', `--pidfile=${RUN}/${name}.pid`, '-vsyslog:off'],
      ...[`--log-file=/var/log/openvswitch/${name}.log`, '-vconsole:off'],
      ...(user === 'root' ? [] : [`--user=${this.#owner}`]),
    ]
    // Its group is to connect to the sockets that it makes.
    const script = ['-c', 'umask 002; exec "$@"', 'sh', ...as, program]
    this.#machine.must('sh', ...script, ...options, ...args)
  }
}
