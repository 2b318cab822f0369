/** The process of one {@link Case}. */
import { binding } from '../../src/native/binding.js'
import type { Case, Measured } from './case.js'
import { measureMacs } from './macs-case.js'
import { measureRules } from './rules-case.js'

const { one, cpu } = JSON.parse(process.argv[2] as string) as { one: Case; cpu: number }

// The bench is gone.
process.on('disconnect', () => process.exit(1))

binding.pinThread(cpu)
const measured: Measured = one.kind === 'macs' ? measureMacs(one) : measureRules(one)
process.send?.(measured)
