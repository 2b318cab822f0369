/** A value as JSON text. A bigint, which JSON has none of, becomes hexadecimal text: `0x1f`. */
export function toJson(value: unknown, indent?: number): string {
  const text = (_key: string, part: unknown) =>
    typeof part === 'bigint' ? `0x${part.toString(16)}` : part
  return JSON.stringify(value, text, indent) ?? 'null'
}
