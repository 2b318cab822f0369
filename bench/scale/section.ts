import { portsSection } from '../ports/section.js'
import { compose } from './compose.js'
import { lcores } from './lcores.js'
import { macs } from './macs.js'
import { rules } from './rules.js'
import { updates } from './updates.js'

const parts = compose('scale', 'How cost grows', {
  macs,
  rules,
  updates,
  lcores,
  ports: portsSection,
})

/** How cost grows with addresses, rules, lcores and ports. In a quick run of everything there is no time for it. */
export const scaleSection: typeof parts = {
  ...parts,
  seconds: (effort) => (effort === 'quick' ? 0 : parts.seconds(effort)),
}
