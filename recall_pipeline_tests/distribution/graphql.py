"""Queries for all that Dagster's GraphQL API shows of a code location; the last one lists the runs."""

_METADATA = """
metadataEntries { label description
  ... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString } ... on PathMetadataEntry { path }
  ... on UrlMetadataEntry { url } ... on MarkdownMetadataEntry { mdStr } }
"""
_RESOURCES = """
allTopLevelResourceDetails { name description resourceType
  configFields { name description defaultValueAsJson configType { key description } }
  configuredValues { key value type } nestedResources { name } jobsOpsUsing { jobName } }
"""
_ASSETS = f"""
assetNodes {{ id description groupName jobNames kinds opNames
  assetKey {{ path }} tags {{ key value }} owners {{ __typename }} {_METADATA}
  configField {{ name description defaultValueAsJson configType {{ key }} }}
  op {{ name description metadata {{ key value }} configField {{ defaultValueAsJson configType {{ key }} }} }}
  requiredResources {{ resourceKey }} }}
"""
_JOBS = """
jobs { name description tags { key value } metadataEntries { label description }
  modes { name resources { name description configField { defaultValueAsJson configType { key } } } }
  presets { name runConfigYaml } }
"""
_TICKS = """
schedules { name description defaultStatus cronSchedule tags { key value } scheduleState { status } }
sensors { name description defaultStatus metadata { assetKeys { path } } sensorState { status } }
"""


def _of_repositories(fields: str) -> str:
    return f"""{{ repositoriesOrError {{ __typename ... on PythonError {{ message stack }}
      ... on RepositoryConnection {{ nodes {{ name displayMetadata {{ key value }} {fields} }} }} }} }}"""


QUERIES = (
    *(_of_repositories(fields) for fields in (_ASSETS, _RESOURCES, _JOBS, _TICKS)),
    "{ workspaceOrError { ... on Workspace { locationEntries { name displayMetadata { key value } "
    "locationOrLoadError { __typename ... on PythonError { message stack } } } } } }",
    "{ instance { info hasInfo runLauncher { name } executablePath daemonHealth { id } } }",
    "{ runsOrError { ... on Runs { results { id status runConfigYaml jobName tags { key value } "
    "assetSelection { path } stats { __typename } } } } }",
)
