/** Options of QEMU, `driver=virtio-net-pci,netdev=n0` or JSON: as a map of texts, and back. */
export type QemuOptions = ReadonlyMap<string, string>

/** An option's value as text; commas are doubled, as QEMU wants them. */
export function qemuOptions(
  first: string,
  options: Readonly<Record<string, string | number | undefined>>,
): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return [
    first,
    ...given.map(([key, value]) => `${key}=${String(value).replaceAll(',', ',,')}`),
  ].join(',')
}

/** @param implied - the key of a first value without one, such as `driver` */
export function parseQemuOptions(text: string, implied: string): QemuOptions {
  if (text.startsWith('{')) {
    const entries = Object.entries(JSON.parse(text) as object)
    return new Map(entries.map(([key, value]) => [key, jsonText(value)]))
  }
  const options = new Map<string, string>()
  // A comma that is not one of a pair ends an option.
  const parts = text.match(/(?:[^,]|,,)+/g) ?? []
  for (const [i, part] of parts.entries()) {
    const plain = part.replaceAll(',,', ',')
    const equals = plain.indexOf('=')
    if (equals >= 0) options.set(plain.slice(0, equals), plain.slice(equals + 1))
    else if (i === 0) options.set(implied, plain)
    // Flags of old: `server`, `nowait`.
    else if (/^no(?=wait$|delay$)/.test(plain)) options.set(plain.slice(2), 'off')
    else options.set(plain, 'on')
  }
  return options
}

function jsonText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export function isOn(value: string | undefined): boolean {
  return value === 'on' || value === 'yes' || value === 'true' || value === 'y'
}
