/** What is written after a subcommand, as the switch gets it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../../src/switch/cli/exit-codes.js'
import { readKeyValues } from '../../../src/switch/cli/key-values.js'

test('keys and values are those of the configuration', () => {
  const args = [
    'type=dpdkvhostuserclient',
    'path=/run/vm/vhost2.sock',
    'tag=10',
    'trunks=[1, 2]',
    'reconnect.maxDelayMs=500',
    'reconnect.jitter=0.1',
    'egressPolicer={cir: 1000, cbs: 2000}',
    'devargs=net_af_packet0,iface=veth0',
    'pci=0000:01:00.0',
    'mode=0660',
    'mtu=',
    'createFolder=true',
  ]
  assert.deepEqual(readKeyValues(args), {
    type: 'dpdkvhostuserclient',
    path: '/run/vm/vhost2.sock',
    tag: 10,
    trunks: [1, 2],
    reconnect: { maxDelayMs: 500, jitter: 0.1 },
    egressPolicer: { cir: 1000, cbs: 2000 },
    devargs: 'net_af_packet0,iface=veth0',
    pci: '0000:01:00.0',
    mode: '0660',
    mtu: null,
    createFolder: true,
  })
})

test('what is no key or value is named', () => {
  for (const [args, message] of [
    [['tag'], /"tag" is no KEY=VALUE/],
    [['=10'], /"=10" is no KEY=VALUE/],
    [['a..b=1'], /no KEY=VALUE/],
    [['tag=1', 'tag=2'], /tag=2: tag was given before/],
    [['tag=1', 'tag.x=2'], /tag was given before, and is no object/],
    [['trunks=[1'], /"trunks=\[1": the value is no YAML/],
  ] as const) {
    assert.throws(
      () => readKeyValues(args),
      (error: Error) => {
        assert.ok(error instanceof UsageError)
        assert.match(error.message, message)
        return true
      },
    )
  }
  // A key of that name is one like any other, for the switch to refuse.
  const own = readKeyValues(['__proto__.x=1'])
  assert.deepEqual(Object.keys(own), ['__proto__'])
  assert.equal(({} as { x?: unknown }).x, undefined)
})
