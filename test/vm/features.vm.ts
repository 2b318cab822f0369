/** A switch that comes back with other features than the guest negotiated, and one that comes back with the same. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { FeatureName, VhostUserClientPortOptions } from '../../src/index.js'
import { until } from '../support/loopback.js'
import { assertReaches } from './support/guests.js'
import { Lab } from './support/lab.js'

describe('features across a restart of the switch', () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab?.[Symbol.asyncDispose]())

  it('one that is missing is reported, and pinning brings the guest back', async () => {
    const { guest, port } = await lab.addGuest(10)
    await assertReaches(guest, lab.hostAddress)
    const spec = port.spec as VhostUserClientPortOptions
    const features = port.status.offered as FeatureName[]
    assert.ok(features.includes('VIRTIO_NET_F_MRG_RXBUF'))
    assert.ok(port.status.negotiated?.features.includes('VIRTIO_NET_F_MRG_RXBUF'))

    // What a new release of the switch might do. QEMU connects, looks at the features, hangs up, and listens again.
    await port.remove()
    const poorer = await lab.datapath.addPort({
      ...spec,
      disableFeatures: ['VIRTIO_NET_F_MRG_RXBUF'],
    })
    await lab.undisturbed(() =>
      until(
        'the mismatch is reported',
        () =>
          /times in a row, after [A-Z_]+: if it needs a feature/.test(poorer.status.reason ?? ''),
        60_000,
      ),
    )
    assert.match(poorer.status.reason ?? '', /'features'/)
    assert.doesNotMatch(poorer.status.reason ?? '', /MRG_RXBUF/)

    await poorer.remove()
    const pinned = await lab.datapath.addPort({ ...spec, features })
    await pinned.ready({ timeoutMs: 60_000 })
    assert.deepEqual([...pinned.status.offered].sort(), [...features].sort())
    await assertReaches(guest, lab.hostAddress)
    await guest.close()
  })
})
