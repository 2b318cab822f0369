import { portsSection } from '../ports/section.js'
import { compose } from './compose.js'
import { lcores } from './lcores.js'
import { macs } from './macs.js'
import { rules } from './rules.js'
import { updates } from './updates.js'

/** How cost grows with ports, addresses, rules and lcores. */
export const scaleSection = compose('scale', 'How cost grows', {
  ports: portsSection,
  macs,
  rules,
  updates,
  lcores,
})
