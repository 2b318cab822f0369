/**
 * The entry point of a Worker that is an lcore. In CommonJS, as that of the bundle is (src/bundle/worker-main.cts), which lies
 * under the same name.
 */
void import('./worker.js').then(({ runWorker }) => runWorker((url) => import(url)))
