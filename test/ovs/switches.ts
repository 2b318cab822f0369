import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allowedCpus, parseCpuList } from '../../bench/cpus.js'
import { bridgeName, configuration, portPools } from '../../bench/ovs/configuration.js'
import { OvsInstance } from '../../bench/ovs/instance.js'
import type { BenchProcess } from '../../bench/process.js'
import { Datapath, type Lcore, type Port } from '../../src/index.js'
import type { Mirroring } from './bridge-switch.js'
import { type Accounts, MARKER_RULE, socketOf } from './guests.js'
import { OXM_ONLY } from './rules.js'

/** A switch whose ports are numbered from 0, as in the rules it is given. */
export interface RuleSwitch extends AsyncDisposable {
  /** Replaces all rules. Returns those that were not taken. */
  setRules(rules: readonly string[]): Promise<Refusal[]>
}

/** A rule that OVS does not take, and its word for that. */
export interface Refusal {
  readonly rule: string
  readonly why: string
}

/** Which rule was not taken: `ovs-ofctl` says so by its number, the switch by what it got, priority and all. */
function refusals(stderr: string, rules: readonly string[]): Refusal[] {
  const [, line, complaint] = /flows:(\d+): .*\((\w+)\)/.exec(stderr) ?? []
  const [, error] = /OFPT_ERROR .*: (\w+)/.exec(stderr) ?? []
  const [, bytes = ''] = /FLOW_MOD(?:.*\n){2}00000010(.*)\|/.exec(stderr) ?? []
  const priority = Number.parseInt(bytes.replaceAll(/[^0-9a-f]/g, '').slice(28, 32), 16)
  const rule =
    line === undefined
      ? rules.find((one) => one.includes(`priority=${priority},`))
      : rules[Number(line) - 1]
  return rule === undefined ? [] : [{ rule, why: complaint ?? error ?? stderr }]
}

/** OVS counts its ports from 1. */
function forOvs(rule: string): string {
  return rule.replaceAll(/\b(in_port=|output:)(\d+)/g, (_, word, id) => `${word}${Number(id) + 1}`)
}

/** Meters that let all pass: what they hold back depends on the time. */
const METERS = [1, 2]
const METER_RATE = 1_000_000

/** Times that counters are read the same, each in a process of its own, before all is taken for sent. */
const STANDSTILL = 5

/** A pool of 16384 frames for each of four ports, of 3 KiB each. */
const MEMORY_MIB = 512

/** How a port of the bridge is set up: columns of the table Port, such as `tag=5`, `vlan_mode=trunk`. */
export type PortColumns = readonly string[]

/** A real OVS-DPDK in a folder, with a port for each socket. */
export class OvsSwitch implements RuleSwitch {
  readonly #bridge = bridgeName()
  readonly #folder: string
  readonly #instance: OvsInstance
  #daemon: BenchProcess | undefined

  private constructor(folder: string, instance: OvsInstance) {
    this.#folder = folder
    this.#instance = instance
  }

  /** Needs guests that listen: a connection that is refused is tried again a second later. */
  static async start(folder: string, ports: readonly PortColumns[]): Promise<OvsSwitch> {
    const self = new OvsSwitch(folder, await OvsInstance.create(folder))
    try {
      await self.#start(ports)
      return self
    } catch (error) {
      await self[Symbol.asyncDispose]()
      throw error
    }
  }

  async #start(ports: readonly PortColumns[]): Promise<void> {
    const ealArgs = ['--no-huge', '--no-shconf', '-m', String(MEMORY_MIB)]
    const settings = [
      ...portPools({ kind: 'memfd', mib: MEMORY_MIB, ealArgs }),
      // Others need the CPU too.
      'other_config:pmd-maxsleep=200',
    ]
    const cpu = parseCpuList(allowedCpus())[0] ?? 0
    const list = ports.map((columns, i) => {
      return { name: `vhost${i}`, path: socketOf(this.#folder, i), number: i + 1, columns }
    })
    const words = configuration(this.#bridge, list, cpu, settings, 'secure')
    await this.#instance.vsctl('--no-wait', ...words)
    this.#daemon = this.#instance.startDaemon()
    await Promise.race([this.#instance.ready(this.#bridge), this.#daemon.failed])
    for (const id of METERS) {
      const meter = `meter=${id},pktps,band=type=drop,rate=${METER_RATE}`
      await this.#instance.ofctl(this.#bridge, 'add-meter', [meter], ['-OOpenFlow13'])
    }
  }

  async setRules(rules: readonly string[]): Promise<Refusal[]> {
    // As ovs-ofctl does by itself when nothing else is asked for: in the words of OpenFlow 1.0 with Nicira's extensions
    // where these have words. With masks of set_field it would forget the masks.
    const isStrict = (rule: string) => OXM_ONLY.test(rule)
    const loose = [MARKER_RULE, ...rules.filter((rule) => !isStrict(rule))]
    await this.#instance.ofctl(this.#bridge, 'del-flows')
    const refused = [
      ...(await this.#add('NXM', loose)),
      ...(await this.#add('OpenFlow13', rules.filter(isStrict))),
    ]
    // Otherwise flows made of the rules before would be found for a while.
    await this.forgetFlows()
    return refused
  }

  /** Changes how its ports are set up, in the order in which they were given. */
  async setPorts(ports: readonly PortColumns[]): Promise<void> {
    const words = ports.flatMap((columns, i) => {
      const name = `vhost${i}`
      const set = columns.length === 0 ? [] : ['--', 'set', 'Port', name, ...columns]
      return ['--', 'clear', 'Port', name, 'tag', 'trunks', 'vlan_mode', ...set]
    })
    await this.#instance.vsctl(...words.slice(1))
  }

  /** Replaces all mirrors. */
  async setMirrors(mirrors: readonly Mirroring[]): Promise<void> {
    const words = mirrors.flatMap(({ src, dst, selectVlan, port, outputVlan, snaplen }, i) => {
      const ports = new Set([src, dst, port].flat().filter((one) => one !== undefined))
      const id = (one: number) => `@m${i}p${one}`
      const refer = (some: readonly number[]) => `[${some.map(id).join(',')}]`
      return [
        ...[...ports].flatMap((one) => ['--', `--id=${id(one)}`, 'get', 'Port', `vhost${one}`]),
        ...['--', `--id=@m${i}`, 'create', 'Mirror', `name=m${i}`],
        `select_all=${src === undefined && dst === undefined}`,
        ...(src === undefined ? [] : [`select_src_port=${refer(src)}`]),
        ...(dst === undefined ? [] : [`select_dst_port=${refer(dst)}`]),
        ...(selectVlan === undefined ? [] : [`select_vlan=${selectVlan.join(',')}`]),
        ...(port === undefined ? [] : [`output_port=${id(port)}`]),
        ...(outputVlan === undefined ? [] : [`output_vlan=${outputVlan}`]),
        ...(snaplen === undefined ? [] : [`snaplen=${snaplen}`]),
        ...['--', 'add', 'Bridge', this.#bridge, 'mirrors', `@m${i}`],
      ]
    })
    await this.#instance.vsctl('clear', 'Bridge', this.#bridge, 'mirrors', ...words)
  }

  /** By its counters of ports. It has no word for when all is sent: then they stand still. */
  readonly accounts: Accounts = {
    frames: async () => {
      const text = await this.#instance.ofctl(this.#bridge, 'dump-ports')
      const lines = [...text.matchAll(/port +(\d+): rx pkts=(\d+),.*\n +tx pkts=(\d+),/g)]
      const ports = lines.sort(([, one], [, other]) => Number(one) - Number(other))
      return {
        taken: ports.reduce((sum, [, , rx]) => sum + Number(rx), 0),
        given: ports.map(([, , , tx]) => Number(tx)),
      }
    },
    settled: async () => {
      for (let same = 0, last = ''; same < STANDSTILL; ) {
        const given = String((await this.accounts.frames()).given)
        same = given === last ? same + 1 : 0
        last = given
      }
    },
  }

  /** Forgets the addresses learnt. */
  async flush(): Promise<void> {
    await this.forgetFlows()
    await this.#instance.appctl('fdb/flush', this.#bridge)
  }

  /**
   * Forgets the flows made of the frames so far. Their sources are learnt once more as that is done, so it has to be
   * before an address moves.
   */
  async forgetFlows(): Promise<void> {
    await this.#instance.appctl('revalidator/purge')
  }

  async #add(version: 'NXM' | 'OpenFlow13', rules: readonly string[]): Promise<Refusal[]> {
    const refused: Refusal[] = []
    const file = join(this.#folder, 'flows')
    const options = version === 'NXM' ? [] : [`-O${version}`]
    for (let left = rules; left.length > 0; ) {
      writeFileSync(file, `${left.map(forOvs).join('\n')}\n`)
      try {
        await this.#instance.ofctl(this.#bridge, 'add-flows', [file], options)
        break
      } catch (error) {
        const { stderr = '' } = error as { stderr?: string }
        const some = /none of the usable flow formats/.test(stderr)
          ? await this.#unspeakable(left, options)
          : refusals(stderr, left)
        if (some.length === 0) throw error
        refused.push(...some)
        left = left.filter((rule) => !some.some((other) => other.rule === rule))
      }
    }
    return refused
  }

  /** Those that this version of OpenFlow has no words for. */
  async #unspeakable(rules: readonly string[], options: readonly string[]): Promise<Refusal[]> {
    const refused: Refusal[] = []
    for (const rule of rules) {
      try {
        await this.#instance.parseFlow(forOvs(rule), options)
      } catch {
        refused.push({ rule, why: 'no words' })
      }
    }
    return refused
  }

  /** Resolves when it polls all of its guests. */
  connected(guests: number): Promise<void> {
    return this.#instance.connected(guests)
  }

  /** What OVS says it does with a frame, for messages. */
  async trace(port: number, frame: Uint8Array): Promise<string> {
    const hex = Buffer.from(frame).toString('hex')
    return this.#instance.appctl('ofproto/trace', this.#bridge, `in_port=${port + 1}`, hex)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]()
    await this.#instance[Symbol.asyncDispose]()
  }
}

/** Our flow table, between the sockets of a folder. */
export class OwnSwitch implements RuleSwitch {
  readonly #datapath: Datapath
  readonly #lcore: Lcore

  private constructor(datapath: Datapath, lcore: Lcore) {
    this.#datapath = datapath
    this.#lcore = lcore
  }

  static async start(folder: string, count: number): Promise<OwnSwitch> {
    const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
    const ports: Port[] = []
    for (let i = 0; i < count; i++) {
      const path = socketOf(folder, i)
      ports.push(await datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }))
    }
    const meters = METERS.map((id) => ({ id, unit: 'pktps', rate: METER_RATE }))
    const lcore = await datapath.launch('dpdk-vhost/programs/flow-table/program', {
      data: { meters },
    })
    await Promise.all(ports.map((port) => port.ready({ timeoutMs: 60_000 })))
    return new OwnSwitch(datapath, lcore)
  }

  async setRules(rules: readonly string[]): Promise<Refusal[]> {
    await this.#lcore.call({ type: 'delete' })
    await this.#lcore.call({ type: 'add', rules: [MARKER_RULE, ...rules] })
    return []
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#datapath.close()
  }
}
