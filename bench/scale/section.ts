import { portsSection } from '../ports/section.js'
import { compose } from './compose.js'
import { lcores } from './lcores.js'
import { macs } from './macs.js'
import { rules } from './rules.js'
import { updates } from './updates.js'

/** How cost grows with addresses, rules, lcores and ports. */
export const scaleSection = compose('scale', 'How cost grows', {
  macs,
  rules,
  updates,
  lcores,
  ports: portsSection,
})
