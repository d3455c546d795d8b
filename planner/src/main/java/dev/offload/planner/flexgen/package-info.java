/**
 * The cost model and linear program of FlexGen (Sheng et al., "FlexGen: High-Throughput Generative
 * Inference of Large Language Models with a Single GPU", ICML 2023, arXiv 2303.06865), for
 * comparison.
 */
package dev.offload.planner.flexgen;
