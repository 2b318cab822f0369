import type { Ring } from './setup.js'

/** What `net_virtio_user` is told of the layout of its rings. */
export const RING_ARGUMENTS: Record<Ring, string> = {
  split: '',
  packed: ',packed_vq=1',
  'packed-inorder': ',packed_vq=1,in_order=1,mrg_rxbuf=0',
}
