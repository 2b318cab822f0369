/** The process of our switch: a learning switch between two guests' sockets. */
import { Datapath, learningSwitch } from 'dpdk-vhost'
import type { OwnStart } from './own-switch.js'

const { sockets, memory, memoryMiB } = JSON.parse(process.argv[2] as string) as OwnStart

const datapath = await Datapath.open({ memory, memoryMiB })
// They connect on threads of the addon while the program is made.
const ports = sockets.map((path, i) =>
  datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
)
// On this thread, which has nothing else to do: another one takes a tenth of a second to start.
await datapath.run(learningSwitch())
await Promise.all(ports)
