/** What the tester does between trials: takes what comes, and drops it. */
import type { Program } from '../../src/programs/program.js'

const discard: Program = { name: 'discard', burst() {} }
export default discard
