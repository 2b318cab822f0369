import {
  bridgeName,
  configuration,
  portPools,
  type Settings,
  sharedPool,
} from '../ovs/configuration.js'
import { findOvs } from '../ovs/find.js'
import { OvsInstance } from '../ovs/instance.js'
import type { Contender, Supervisor, SwitchSetup } from './contender.js'

export const ovsDpdk: Contender = {
  name: 'ovs-dpdk',
  what: 'Open vSwitch as it comes, NORMAL action between two dpdkvhostuserclient ports; its database stays',
  version: () => findOvs().version,
  prepare: (setup) => startDatabase(setup, sharedPool(setup.memory)),
}

export const ovsDpdkLean: Contender = {
  name: 'ovs-dpdk-lean',
  what: 'the same, tuned for the fastest start that it has: per-port-memory, and little of it',
  version: () => findOvs().version,
  prepare: (setup) => startDatabase(setup, portPools(setup.memory)),
}

/** A database of its own, configured once. */
async function startDatabase(setup: SwitchSetup, settings: Settings): Promise<Supervisor> {
  const instance = await OvsInstance.create(setup.folder)
  const ports = setup.sockets.map((path, i) => ({ name: `vhost${i}`, path, number: i + 1 }))
  const words = configuration(bridgeName(), ports, setup.cpus.switch, settings)
  try {
    await instance.vsctl('--no-wait', ...words)
  } catch (error) {
    await instance[Symbol.asyncDispose]()
    throw error
  }
  return {
    start: () => instance.startDaemon(),
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  }
}
