/** Joins ports in pairs, for an lcore in a Worker. */
import type { ProgramFunction } from '../../../src/index.js'
import { crossConnect } from '../wire.js'

export default (): ProgramFunction => crossConnect
