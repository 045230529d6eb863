"""The vocabulary of the report has whole words."""

from recall_pipeline.api_probe import words


def test_every_word_of_the_report_is_whole() -> None:
    vocabularies = (words.HEADERS, words.LINK_QUERY, words.MEDIA_TYPES)
    assert [word for vocabulary in vocabularies for word in vocabulary if word.endswith("-")] == []
    assert {"cache-control", "permissions-policy"} <= words.HEADERS
    assert {"X-Amz-Security-Token", "response-content-type"} <= words.LINK_QUERY
