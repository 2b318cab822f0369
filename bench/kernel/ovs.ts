import { existsSync } from 'node:fs'
import { expectToGuest, GUEST_MACS } from '../frames.js'
import { bridgeName } from '../ovs/configuration.js'
import { findOvs } from '../ovs/find.js'
import { OvsInstance } from '../ovs/instance.js'
import type { BenchProcess } from '../process.js'
import type { Setup } from '../setup.js'
import type { SeenFrame } from '../testpmd-output.js'
import { KernelSwitch, receiveOn } from './kernel-switch.js'
import { checkNetwork, GUEST_INTERFACES, PORT_INTERFACES } from './network.js'

/** `system` is the datapath in the kernel; `netdev` is the one in the daemon, here without DPDK. */
export type DatapathType = 'system' | 'netdev'

/** Open vSwitch between two veth pairs, with the action NORMAL. */
export class KernelOvs extends KernelSwitch {
  readonly #instance: OvsInstance
  readonly #daemon: BenchProcess
  readonly #bridge = bridgeName()
  readonly #type: DatapathType
  #learnt = ''

  private constructor(setup: Setup, instance: OvsInstance, type: DatapathType) {
    super(setup, PORT_INTERFACES)
    this.#instance = instance
    this.#type = type
    this.#daemon = instance.startDaemon({ enter: this.network.enter })
  }

  static async start(setup: Setup, type: DatapathType = 'system'): Promise<KernelOvs> {
    const instance = await OvsInstance.create(setup.folder)
    try {
      return new KernelOvs(setup, instance, type)
    } catch (error) {
      await instance[Symbol.asyncDispose]()
      throw error
    }
  }

  override get failed(): Promise<never> {
    return this.#daemon.failed
  }

  async started(): Promise<void> {
    const ports = PORT_INTERFACES.flatMap((name) => ['--', 'add-port', this.#bridge, name])
    const type = `datapath_type=${this.#type}`
    const bridge = ['add-br', this.#bridge, '--', 'set', 'Bridge', this.#bridge, type]
    await this.#instance.vsctl('--timeout=20', ...bridge, ...ports)
    await this.#instance.ready(this.#bridge)
    for (const name of [...PORT_INTERFACES, ...GUEST_INTERFACES])
      await receiveOn(this.network, name, this.cpu)
  }

  override async countCycles(): Promise<void> {
    this.#learnt = await this.#instance.appctl('fdb/show', this.#bridge)
    await super.countCycles()
  }

  check(frames: readonly SeenFrame[]): void {
    expectToGuest(frames)
    const missing = GUEST_MACS.find((mac) => !this.#learnt.includes(mac))
    if (missing !== undefined)
      throw new Error(`OVS did not learn ${missing}; it knows\n${this.#learnt}`)
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    await this.#instance[Symbol.asyncDispose]()
  }
}

/** @throws Error that says what is missing */
export function checkKernelOvs(): void {
  findOvs()
  checkNetwork('veth')
  if (!existsSync('/sys/module/openvswitch'))
    throw new Error(
      'the kernel has no Open vSwitch: as root `modprobe openvswitch`, where it is built',
    )
}
