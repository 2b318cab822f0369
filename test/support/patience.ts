/** How many times as long as on a plain build everything may take: `npm run test:asan` and `test:tsan` set it. */
const PATIENCE = Number(process.env.DPDK_VHOST_TEST_PATIENCE || 1)

/** A time limit in milliseconds, for this build. */
export function patient(ms: number): number {
  return ms * PATIENCE
}
