"""The sentences of the results page, in both languages."""

from collections.abc import Mapping

Sayings = Mapping[str, str]

SAYINGS: Mapping[str, Sayings] = {
    "fr": {
        "title": "Résultats du sondage",
        "released": "{n} personnes ont répondu. Ces résultats sont les mêmes pour tout le monde et ne changent plus.",
        "open": "Ce sondage est encore ouvert. Ses résultats paraîtront ici quand il aura pris fin, si assez de "
        "personnes ont répondu pour que nul ne soit reconnu.",
        "below_k": "Le sondage est terminé. Ses résultats ne sont pas montrés : trop peu de personnes ont répondu pour "
        "que nul ne soit reconnu.",
        "no_attendance": "Le sondage est terminé sans résultats : aucune présence n’avait été inscrite, si bien que "
        "personne n’a pu être interrogé.",
        "withheld": "Le sondage est terminé. Ses résultats ne sont pas montrés, pour que nul ne soit reconnu.",
        "answer": "Réponse",
        "people": "Personnes",
        "caption": "{n} réponses",
        "mean": "En moyenne : {mean} sur 5. Un aussi petit groupe laisse de l’incertitude : la moyenne se situe sans "
        "doute entre {low} et {high} (19 fois sur 20).",
        "share": "{share} % ont dit oui. Un aussi petit groupe laisse de l’incertitude : la part se situe sans doute "
        "entre {low} % et {high} % (19 fois sur 20).",
        "nearly_all": "Toutes ces personnes, ou toutes sauf une, ont répondu « {label} ». Le nombre exact n’est pas "
        "montré : il dirait ce que chacune a répondu.",
        "question_withheld": "Les réponses à cette question ne sont pas montrées, pour que nul ne soit reconnu.",
        "comments": "Commentaires",
        "comments_order": "Dans un ordre tiré au hasard.",
        "anonymous_title": "Ce que veut dire anonyme",
        "nothing_left": "Du sondage, il ne reste que cette page : aucune réponse d’une personne n’est conservée, ni "
        "avec son nom ni sans.",
        "anonymous": "Rien n’est montré de moins de cinq réponses; les commentaires le sont à partir de dix, ou si "
        "leur auteure ou auteur y a consenti. Qui a répondu quoi n’est montré à personne.",
        "ask": "Une question? Parlez-en à la personne qui anime votre communauté; elle voit les mêmes "
        "résultats que vous.",
        "unknown_title": "Lien inconnu",
        "unknown": "Ce lien ne mène à aucun résultat. Vérifiez que vous l’avez copié en entier, ou demandez-le à la "
        "personne qui anime votre communauté.",
        "away_title": "Un instant",
        "away": "Le service ne répond pas pour le moment. Réessayez dans un instant.",
    },
    "en": {
        "title": "Results of the survey",
        "released": "{n} people answered. These results are the same for everyone and will not change.",
        "open": "This survey is still open. Its results will appear here once it has ended, if enough people answered "
        "for nobody to be recognised.",
        "below_k": "The survey has ended. Its results are not shown: too few people answered for nobody to be "
        "recognised.",
        "no_attendance": "The survey has ended without results: no attendance was recorded, so nobody could be asked.",
        "withheld": "The survey has ended. Its results are not shown, so that nobody can be recognised.",
        "answer": "Answer",
        "people": "People",
        "caption": "{n} answers",
        "mean": "On average: {mean} out of 5. So small a group leaves some doubt: the mean most likely lies between "
        "{low} and {high} (19 times out of 20).",
        "share": "{share}% said yes. So small a group leaves some doubt: the share most likely lies between {low}% and "
        "{high}% (19 times out of 20).",
        "nearly_all": "All of these people, or all but one, answered “{label}”. The exact number is not shown: it "
        "would tell what each of them answered.",
        "question_withheld": "The answers to this question are not shown, so that nobody can be recognised.",
        "comments": "Comments",
        "comments_order": "In random order.",
        "anonymous_title": "What anonymous means",
        "nothing_left": "Of the survey only this page is left: nobody’s own answers are kept, with a name or without.",
        "anonymous": "Nothing is shown of fewer than five answers; comments are from ten on, or if their author "
        "agreed. Who answered what is shown to nobody.",
        "ask": "A question? Talk to whoever facilitates your community; they see the same results as you.",
        "unknown_title": "Unknown link",
        "unknown": "This link leads to no results. Check that you copied the whole of it, or ask whoever facilitates "
        "your community for it.",
        "away_title": "One moment",
        "away": "The service does not answer right now. Try again in a moment.",
    },
}
