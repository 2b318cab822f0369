/** The process of our switch: a learning switch between two guests' sockets, on a thread of its own. */
import { Datapath } from '../../src/index.js'
import type { OwnStart } from './own-switch.js'

const { sockets, cpu, memory, memoryMiB } = JSON.parse(process.argv[2] as string) as OwnStart

const datapath = await Datapath.open({ memory, memoryMiB })
await Promise.all([
  // As eager as the others, which never sleep.
  datapath.launch(new URL('../../src/programs/learning-switch.js', import.meta.url), {
    cpu,
    idle: 'spin',
  }),
  ...sockets.map((path, i) =>
    datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path }),
  ),
])
