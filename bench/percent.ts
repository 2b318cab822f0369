/** A share as text, small ones with more digits. */
export function percent(share: number): string {
  const value = 100 * share
  return `${value.toFixed(value === 0 ? 0 : value < 0.1 ? 3 : 2)} %`
}
