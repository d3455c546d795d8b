/**
 * Mixtures of experts: how tokens are regrouped by expert so that each expert is loaded once and
 * multiplies one large matrix. The engine uses it.
 */
package dev.offload.moe;
