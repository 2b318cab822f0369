/**
 * A learning switch as a process of its own, to be killed. Its argument is the JSON of its ports' options. It says
 * `started` when it has the ports.
 */
import { Datapath, learningSwitch, type PortOptions } from '../../../src/index.js'
import { SMALL } from '../../support/loopback.js'

const options = JSON.parse(process.argv[2] ?? '[]') as PortOptions[]
const datapath = await Datapath.open(SMALL)
await datapath.run(learningSwitch())
for (const port of options) await datapath.addPort(port)
process.send?.('started')
