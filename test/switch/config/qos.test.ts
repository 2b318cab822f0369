/** Policers and shapers in a configuration. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfig, reportLine } from '../../../src/switch/config/index.js'

const port = (keys: string) =>
  `ports: [{ name: a, type: dpdkvhostuserclient, path: /tmp/vswitch-none/a, ${keys} }]`
const problems = (keys: string) => checkConfig(port(keys)).problems.map(reportLine)

for (const [keys, expected] of [
  ['egressPolicer: { cir: 5, cbs: 0 }', /egressPolicer\.cbs = 0 is less than 1/],
  [
    'egressPolicer: { cir: 5, cbs: 5000, pir: 6 }',
    /egressPolicer\.pbs is missing beside pir; give/,
  ],
  [
    'ingressPolicer: { cir: 5, cbs: 5000, pir: 4, pbs: 5000 }',
    /ingressPolicer\.pir = 4 is below cir \(5\); give at least 5/,
  ],
  [
    'egressPacketPolicer: { cir: 5, cbs: 5, pir: 6, pbs: 7, eir: 1, ebs: 1 }',
    /egressPacketPolicer\.eir = 1 cannot be given beside pir; .*RFC 2698/,
  ],
  [
    'ingressPolicingRate: 5, ingressPolicer: { cir: 5, cbs: 5000 }',
    /ingressPolicer = .* cannot be given beside ingressPolicingRate/,
  ],
  [
    'ingressPolicingKpktsRate: 5, ingressPacketPolicer: { cir: 5, cbs: 50 }',
    /ingressPacketPolicer = .* cannot be given beside ingressPolicingKpktsRate/,
  ],
  ['egressShaper: { rate: 10 }', /egressShaper\.rate = 10 is less than 1000/],
  ['egressShaper: { rate: 10000, burst: 1000 }', /burst = 1000 is less than a frame of 1522 bytes/],
  ['ingress_policing_kpkts_rate: 5', /did you mean ingressPolicingKpktsRate\?/],
  ['trtcm-policer: {}', /trtcm-policer is egressPolicer here: \{ cir, cbs, eir, ebs \}/],
  ['max-rate: 5', /max-rate is the rate of egressShaper here/],
] as const) {
  test(keys, () => {
    const [first = 'none', ...more] = problems(keys)
    assert.match(first, expected)
    assert.deepEqual(more, [])
  })
}

test('what is given is what comes out, with the bursts of OVS where none is given', () => {
  const { spec, problems, warnings } = checkConfig(
    port(
      'ingressPolicingKpktsRate: 3, egressPolicer: { cir: 1, cbs: 2000, eir: 3, ebs: 4000 }, egressShaper: { rate: 1000000 }',
    ),
  )
  assert.deepEqual([problems, warnings], [[], []])
  const { attachment, port: options } = spec?.ports[0] ?? {}
  assert.equal(attachment?.ingressPolicingKpktsBurst, 16)
  assert.deepEqual(attachment.egressPolicer, { cir: 1, cbs: 2000, eir: 3, ebs: 4000 })
  assert.deepEqual(options?.egressShaper, { rate: 1_000_000, queueLength: 1000 })
})
