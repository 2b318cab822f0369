import { Testpmd } from '../testpmd.js'
import type { Contender, SwitchSetup } from './contender.js'

export const testpmdSwitch: Contender = {
  name: 'testpmd',
  what: "DPDK's test program, io forwarding between two net_vhost ports with client=1",
  version: () => undefined,
  prepare: async ({ sockets, folder, cpus, memory }: SwitchSetup) => ({
    start: () =>
      new Testpmd({
        name: 'testpmd',
        cpu: cpus.switch,
        otherCpus: cpus.others,
        memory: memory.ealArgs,
        vdevs: [
          `net_vhost0,iface=${sockets[0]},client=1`,
          `net_vhost1,iface=${sockets[1]},client=1`,
        ],
        args: ['--auto-start'],
        folder,
      }).process,
    [Symbol.asyncDispose]: async () => {},
  }),
}
