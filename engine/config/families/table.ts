// The table of families: every row that a config.json can be read with.
import { bloom, falcon, mpt } from './bloom'
import { cohere, cohere2 } from './cohere'
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
import { deepseekV2, deepseekV3, dots1, glm4Moe, glm4MoeLite, minicpm3, solarOpen, youtu } from './deepseek'
import { apertus, arcee, bitnet, helium, jais2, nemotron, persimmon, seedOss, stablelm, starcoder2 } from './dense'
import { ernie45, ernie45Moe } from './ernie'
import { exaone4, exaoneMoe } from './exaone'
import { gptOss, mellum, minimaxM2, mixtral, phimoe, qwen2Moe, qwen3Moe } from './experts'
import { gemma, gemma2, gemma3Text, vaultGemma } from './gemma'
import { glm, glm4 } from './glm'
import { biogpt, codegen, gpt2, gptBigcode, gptj, gptNeo, gptNeox, openaiGpt, opt } from './gpt'
import { granite, graniteHybrid, graniteMoe, graniteMoeShared, hyperclovax } from './granite'
import { hunyuanDense, hunyuanMoe } from './hunyuan'
import { lfm2, lfm2Moe } from './lfm2'
import { llama, ministral, ministral3, mistral, qwen2, qwen3, smollm3 } from './llama'
import { flexOlmo, olmo, olmo2, olmo3, olmoe } from './olmo'
import { phi, phi3 } from './phi'
import { qwen2Vl, qwen3Vl } from './qwen-vl'
import { WRAPPERS } from './wrappers'
import type { FamilyRow } from './types'

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
