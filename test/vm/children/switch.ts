/**
 * A learning switch as a process of its own, to be killed. Its argument is the JSON of its ports' options. It says
 * `started` when it has the ports, and `ready` when guests are there on all of them.
 */
import { Datapath, learningSwitch, type PortOptions } from '../../../src/index.js'
import { SMALL } from '../../support/loopback.js'

const options = JSON.parse(process.argv[2] ?? '[]') as PortOptions[]
const datapath = await Datapath.open(SMALL)
await datapath.run(learningSwitch())
const ports = await Promise.all(options.map((port) => datapath.addPort(port)))
process.send?.('started')
await Promise.all(ports.map((port) => port.ready()))
process.send?.('ready')
