/** Slices of which the least counts: what disturbs them only ever adds. */
const SLICES = 5

/** Calls between two looks at the clock. */
const BATCH = 100

/** Nanoseconds of one call, when it has become warm. */
export function nanosecondsOf(run: () => void, milliseconds: number): number {
  const slice = (length: number) => {
    const begun = performance.now()
    let calls = 0
    while (performance.now() - begun < length) for (let i = 0; i < BATCH; i++, calls++) run()
    return ((performance.now() - begun) * 1e6) / calls
  }
  slice(milliseconds / 3)
  return Math.min(...Array.from({ length: SLICES }, () => slice(milliseconds / SLICES)))
}
