import { expectToGuest, GUEST_MACS } from '../frames.js'
import type { Setup } from '../setup.js'
import type { SeenFrame } from '../testpmd-output.js'
import { KernelSwitch, receiveOn } from './kernel-switch.js'
import { GUEST_INTERFACES, PORT_INTERFACES } from './network.js'

const BRIDGE = 'bridge0'

/** The bridge of the Linux kernel between two veth pairs. */
export class KernelBridge extends KernelSwitch {
  #learnt = ''

  constructor(setup: Setup) {
    super(setup, PORT_INTERFACES)
  }

  async started(): Promise<void> {
    const { network, cpu } = this
    const ip = (...words: string[]) => network.run('ip', 'link', ...words)
    await ip('add', 'name', BRIDGE, 'type', 'bridge', 'mcast_snooping', '0')
    for (const name of PORT_INTERFACES) await ip('set', 'dev', name, 'master', BRIDGE)
    await ip('set', 'dev', BRIDGE, 'up')
    for (const name of [...PORT_INTERFACES, ...GUEST_INTERFACES])
      await receiveOn(network, name, cpu)
  }

  override async countCycles(): Promise<void> {
    this.#learnt = await this.network.run('bridge', 'fdb', 'show', 'br', BRIDGE)
    await super.countCycles()
  }

  check(frames: readonly SeenFrame[]): void {
    expectToGuest(frames)
    GUEST_MACS.forEach((mac, i) => {
      if (!this.#learnt.includes(`${mac} dev ${PORT_INTERFACES[i]} master ${BRIDGE}`))
        throw new Error(`the bridge did not learn ${mac}; it knows\n${this.#learnt}`)
    })
  }
}
