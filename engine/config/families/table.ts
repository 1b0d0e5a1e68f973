// The table of families: every row that a config.json can be read with.
import { bloom, falcon, mpt } from './bloom'
import {
  baichuan,
  chatglm,
  deepseek,
  exaone,
  internlm,
  internlm2,
  internlm3,
  minicpm,
  minimind,
  orion,
  qwen,
  stablelmEpoch,
} from './custom-code'
import { cohere, cohere2, olmo, olmo2, olmo3, stablelm, starcoder2 } from './dense'
import { deepseekV2, deepseekV3, dots1, glm4Moe } from './deepseek'
import { gptOss, graniteMoe, mixtral, olmoe, qwen2Moe, qwen3Moe } from './experts'
import { gemma, gemma2, gemma3Text } from './gemma'
import { gpt2, gptBigcode, gptj, gptNeox, opt } from './gpt'
import { gptNeo, graniteMoeShared, hunyuanMoe, jais2, ministral, ministral3 } from './later'
import { lfm2, lfm2Moe } from './lfm2'
import { granite, llama, mistral, qwen2, qwen3, smollm3 } from './llama'
import { apertus, arcee, ernie45, exaone4, glm, glm4, helium, hunyuanDense, nemotron, persimmon, seedOss } from './more-dense'
import { biogpt, bitnet, codegen, glm4MoeLite, hyperclovax, minicpm3, openaiGpt, vaultGemma, youtu } from './newer-dense'
import { ernie45Moe, exaoneMoe, flexOlmo, graniteHybrid, mellum, minimaxM2, phimoe, solarOpen } from './newer-experts'
import { phi, phi3 } from './phi'
import { qwen2Vl, qwen3Vl } from './qwen-vl'
import type { FamilyRow } from './types'
import { WRAPPERS } from './wrappers'

/** Every row. */
export const FAMILIES: readonly FamilyRow[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma,
  gemma2,
  gemma3Text,
  phi,
  phi3,
  gpt2,
  gptBigcode,
  gptj,
  gptNeox,
  opt,
  bloom,
  falcon,
  mpt,
  stablelm,
  starcoder2,
  olmo,
  olmo2,
  olmo3,
  granite,
  cohere,
  cohere2,
  smollm3,
  mixtral,
  qwen3Moe,
  qwen2Moe,
  olmoe,
  graniteMoe,
  gptOss,
  deepseekV2,
  deepseekV3,
  dots1,
  glm4Moe,
  glm,
  glm4,
  nemotron,
  persimmon,
  exaone4,
  ernie45,
  hunyuanDense,
  seedOss,
  arcee,
  helium,
  apertus,
  baichuan,
  internlm2,
  minimind,
  lfm2,
  lfm2Moe,
  chatglm,
  qwen,
  exaone,
  minicpm,
  orion,
  internlm,
  qwen2Vl,
  qwen3Vl,
  ministral,
  ministral3,
  jais2,
  gptNeo,
  graniteMoeShared,
  hunyuanMoe,
  phimoe,
  ernie45Moe,
  minimaxM2,
  flexOlmo,
  exaoneMoe,
  solarOpen,
  mellum,
  graniteHybrid,
  vaultGemma,
  bitnet,
  codegen,
  biogpt,
  openaiGpt,
  hyperclovax,
  youtu,
  minicpm3,
  glm4MoeLite,
  internlm3,
  stablelmEpoch,
  deepseek,
]

/** Every `model_type` that has a row or is a wrapper's, sorted. */
export const supportedModelTypes: readonly string[] = [...FAMILIES, ...WRAPPERS].flatMap((row) => row.modelTypes).toSorted()
