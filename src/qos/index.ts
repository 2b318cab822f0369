/**
 * Quality of service for programs of one's own: token buckets and meters that lcores share. What waits above a rate is
 * held by the port itself (`egressShaper`, {@link Port.setEgressShaper}).
 *
 * @packageDocumentation
 */
export type { EgressShaper } from '../config/egress-shaper.js'
export { Color, Policer, type PolicerOptions, policerTrouble } from './policer.js'
export { BucketTime, TokenBucket, type TokenRate } from './token-bucket.js'
