/**
 * What other programs' published loops would take on published machines: a check of a cost model
 * against measurements that are not ours. Knows nothing of our own engine.
 */
package dev.offload.planner.peers;
