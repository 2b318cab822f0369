/** A program that embeds a switch, with the options that it has by itself. */
import { Datapath } from 'dpdk-vhost'
import type { EmbeddingStart } from './contender.js'

const { sockets, memory, idle, cpu } = JSON.parse(process.argv[2] as string) as EmbeddingStart

const datapath = await Datapath.open({ memory })
await datapath.launch('dpdk-vhost/programs/cross-connect', {
  idle,
  cpu,
})
for (const [i, path] of sockets.entries()) {
  await datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })
}
