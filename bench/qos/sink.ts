import type { Program } from '../../src/index.js'

/** A guest that takes what comes. */
export default function sink(): Program {
  return { burst() {} }
}
