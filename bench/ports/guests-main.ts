/** The process of guests that are connected and send nothing. */
import { Datapath } from '../../src/index.js'

const sockets = JSON.parse(process.argv[2] as string) as readonly string[]

// The bench is gone.
process.on('disconnect', () => process.exit(1))

const datapath = await Datapath.open({ memory: 'memfd', memoryMiB: 64 })
await Promise.all(
  sockets.map((path, i) =>
    datapath.addPort({
      name: `guest${i}`,
      type: 'dpdk',
      devargs: `net_virtio_user${i},path=${path},server=1,queue_size=64`,
      rxDescriptors: 64,
      txDescriptors: 64,
    }),
  ),
)
process.send?.({ kind: 'started' })
