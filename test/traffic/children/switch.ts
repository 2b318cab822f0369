/** A learning switch as a process of its own. Arguments: the paths of its client sockets. Says when all are ready. */
import { Datapath } from '../../../src/index.js'
import { SMALL } from '../../support/loopback.js'

const datapath = await Datapath.open(SMALL)
await datapath.launch('dpdk-vhost/programs/learning-switch')
const ports = await Promise.all(
  process.argv
    .slice(2)
    .map((path, i) => datapath.addPort({ name: `vhost${i}`, type: 'dpdkvhostuserclient', path })),
)
await Promise.all(ports.map((port) => port.ready()))
process.send?.('ready')
