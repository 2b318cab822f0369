import { subject, type WireCheck } from './finding.js'
import { shareMemory } from './fixes.js'

const WHY = "the switch maps the guest's memory: the port is connected, and no frame passes"

/** Whether a switch can map the memory of guests. */
export const memory: WireCheck = (wire) =>
  wire.guests.flatMap((end) => {
    const { guest, next } = end
    if (guest === undefined) return []
    const { of, who } = subject(wire, end)
    if (!guest.shared) {
      const seen =
        guest.memory === 'hugepages'
          ? `${who}: the memory of the guest is hugepages without memAccess='shared'`
          : `${who}: the memory of the guest (${guest.memory}) is not shared`
      const fix = shareMemory(end)
      return { ...of, check: 'memory', severity: 'error', seen, why: WHY, fix }
    }
    if (next?.guest?.shared !== false) return []
    const seen = `${who}: the memory of the guest is shared, and will not be when it is started again`
    const fix = shareMemory(end)
    return { ...of, check: 'memory', severity: 'warning', seen, why: WHY, fix }
  })
