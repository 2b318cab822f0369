/** A process with a datapath of its own; closes it when told to. */
import { Datapath } from '../../../src/index.js'
import { SMALL } from '../../support/loopback.js'

const datapath = await Datapath.open(SMALL)
process.send?.('open')
process.once('message', async () => {
  await datapath.close()
  process.disconnect()
})
