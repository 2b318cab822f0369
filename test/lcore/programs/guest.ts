/** A guest on a vhost-user socket: sends a frame whenever it is told to. Argument: path of the socket. */
import { Datapath } from '../../../src/index.js'
import { numberedFrame, SMALL } from '../../support/loopback.js'

const datapath = await Datapath.open(SMALL)
const device = await datapath.addPort({
  name: 'guest',
  type: 'dpdk',
  devargs: `net_virtio_user0,path=${process.argv[2]}`,
})
await device.ready()
// Takes what comes back out of its ring.
await datapath.run(() => {})
let sent = 0
process.on('message', () => device.inject(numberedFrame(++sent)))
process.on('disconnect', () => process.exit())
