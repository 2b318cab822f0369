/** The least program that embeds a switch: a datapath, two ports, `crossConnect`. */
import { crossConnect, Datapath, PreparedProgram } from 'dpdk-vhost'
import type { EmbeddingStart } from './contender.js'

const { sockets, memory, memoryMiB, worker } = JSON.parse(
  process.argv[2] as string,
) as EmbeddingStart

const prepared = worker ? new PreparedProgram('dpdk-vhost/programs/cross-connect') : undefined
const datapath = await Datapath.open({ memory, memoryMiB })
const ports = sockets.map((path, i) =>
  datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
)
if (prepared) await datapath.launch(prepared)
else await datapath.run(crossConnect())
await Promise.all(ports)
