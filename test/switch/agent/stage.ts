/** A real switch, an agent of it in this process, and a log that is kept. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AdminClient } from '../../../src/switch/admin/client.js'
import { Agent, type AgentSwitch } from '../../../src/switch/agent/agent.js'
import type { BindingSource } from '../../../src/switch/agent/binding.js'
import { FolderSource } from '../../../src/switch/agent/folder-source.js'
import { type PortRecord, Records } from '../../../src/switch/agent/records.js'
import type { PortView } from '../../../src/switch/control.js'
import type { SwitchLog } from '../../../src/switch/live/log.js'

export const ID = 'c9f9a3a2-2a64-4b5e-9a7e-1f1d2c3b4a59'
export const NAME = 'tapc9f9a3a2-2a'

export const SWITCH = { bridges: [{ name: 'br0' }], lcores: [{ name: 'l0' }] }

/** A port as Neutron has it. */
export function neutronPort(socket: string, more: object = {}): object {
  return {
    id: ID,
    mac_address: 'fa:16:3e:00:00:01',
    admin_state_up: true,
    port_security_enabled: false,
    fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.1' }],
    'binding:vif_type': 'vhostuser',
    'binding:vif_details': { vhostuser_socket: socket, vhostuser_mode: 'server' },
    ...more,
  }
}

export function vlan(id: number, mtu = 1450): object {
  return { mtu, 'provider:network_type': 'vlan', 'provider:segmentation_id': id }
}

/** An agent, made anew as often as it is to be started again. */
export class Stage {
  readonly ports: string
  readonly state: string
  readonly client: AdminClient
  /** Lines of the log. */
  lines: string[] = []
  records!: Records
  agent!: Agent

  private constructor(folder: string, socket: string) {
    this.ports = join(folder, 'ports')
    this.state = join(folder, 'state')
    this.client = new AdminClient(socket, 10_000)
  }

  static async start(folder: string, socket: string): Promise<Stage> {
    const stage = new Stage(folder, socket)
    rmSync(stage.ports, { recursive: true, force: true })
    mkdirSync(stage.ports)
    await stage.restart()
    return stage
  }

  /** Another process would know as much. */
  async restart({
    client = this.client as AgentSwitch,
    source = new FolderSource(this.ports) as BindingSource,
    wrap = (records: Records) => records,
  } = {}): Promise<void> {
    this.records = await Records.open(this.state)
    const log: SwitchLog = {
      debug: (line) => void this.lines.push(`debug ${line}`),
      info: (line) => void this.lines.push(`info ${line}`),
      warn: (line) => void this.lines.push(`warn ${line}`),
      error: (line) => void this.lines.push(`error ${line}`),
    }
    const records = wrap(this.records)
    this.agent = new Agent({ source, client, records, log, intervalMs: 1 })
  }

  /** Puts a file where it is found whole. */
  write(name: string, content: object | string): void {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(this.ports, '.new'), text)
    renameSync(join(this.ports, '.new'), join(this.ports, `${name}.json`))
  }

  remove(name: string): void {
    rmSync(join(this.ports, `${name}.json`))
  }

  step(): Promise<void> {
    return this.agent.step(new AbortController().signal)
  }

  async port(name = NAME): Promise<PortView | undefined> {
    return (await this.client.ports()).find((port) => port.name === name)
  }

  /** Names of state files. */
  states(): string[] {
    return readdirSync(this.state).sort()
  }

  stateOf(key: string): PortRecord {
    return JSON.parse(readFileSync(join(this.state, `${key}.json`), 'utf8'))
  }

  /** Commands to the switch since the last time. */
  commands(): string[] {
    const found = this.lines.flatMap(
      (line) => line.match(/to the switch: (\w+(?:: \w+)?)/)?.[1] ?? [],
    )
    this.lines = []
    return found
  }
}
